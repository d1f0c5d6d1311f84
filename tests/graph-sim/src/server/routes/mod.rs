//! The routes, each declared in the file that handles it, and the lookup of a route by path.

mod channels;
mod delta;
mod groups;
mod list;
mod members;
mod messages;
mod reports;
mod teams;

pub(crate) use messages::ROLES as MESSAGE_ROLES;
use serde::{Deserialize, Deserializer, de::Error as _};

use super::{context::Context, response::Response};
use crate::{
    encode::percent_decode,
    journal::{Class, Ids},
    limits::Quota,
};

/// A route of Graph.
#[derive(Debug)]
pub(crate) struct Route {
    /// The path below `/v1.0/` (files of reports: below `/`), with names of ids in braces.
    pub(crate) path: &'static str,
    pub(crate) class: Class,
    pub(crate) quota: Quota,
    /// The application permissions, the least privileged first. One of them is enough.
    pub(crate) permissions: &'static [&'static str],
    pub(crate) handler: fn(&Context<'_>) -> Result<Response, Response>,
}

const ROUTES: [&[Route]; 7] =
    [groups::ROUTES, teams::ROUTES, channels::ROUTES, members::ROUTES, messages::ROUTES, delta::ROUTES, reports::ROUTES];

/// The route of all other paths.
const UNKNOWN: Route = Route { path: "", class: Class::Other, quota: Quota::OTHER, permissions: &[], handler: unknown };

fn unknown(_: &Context<'_>) -> Result<Response, Response> {
    Err(Response::not_found("Requested API is not supported. Please check the path."))
}

fn all() -> impl Iterator<Item = &'static Route> {
    ROUTES.into_iter().flatten()
}

impl Route {
    /// Finds the route of a path and the ids in it. `/v1.0/teams/{id}/…` and the function style of Graph's links, `teams('{id}')/…`, are
    /// equivalent.
    pub(crate) fn find(path: &str) -> (&'static Route, Ids) {
        // The path of a report file has no version.
        let file = || path.strip_prefix('/').filter(|path| path.starts_with("data/"));
        let segments: Vec<String> = path.strip_prefix("/v1.0/").or_else(file).unwrap_or("").split('/').flat_map(split_function).collect();
        let found = all().filter_map(|route| Some((route, route.ids(&segments)?)));
        // `…/messages/delta` also matches the route of a single message, which has more ids.
        found.min_by_key(|(_, ids)| ids.len()).unwrap_or((&UNKNOWN, Ids::default()))
    }

    fn ids(&self, segments: &[String]) -> Option<Ids> {
        let mut ids = Ids::default();
        let mut segments = segments.iter();
        for part in self.path.split('/') {
            let segment = segments.next()?;
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) if !segment.is_empty() => ids.add(name, segment),
                None if part == segment => {}
                _ => return None,
            }
        }
        segments.next().is_none().then_some(ids)
    }
}

/// `channels('19:…')` is two segments; `delta()` and `microsoft.graph.delta()` are `delta`.
fn split_function(segment: &str) -> Vec<String> {
    let segment = percent_decode(segment);
    let name = |text: &str| text.strip_prefix("microsoft.graph.").unwrap_or(text).to_owned();
    match segment.split_once('(') {
        Some((function, ")")) => vec![name(function)],
        Some((collection, argument)) => match argument.strip_prefix('\'').and_then(|argument| argument.strip_suffix("')")) {
            Some(id) => vec![collection.to_owned(), id.to_owned()],
            None => vec![segment],
        },
        None => vec![name(&segment)],
    }
}

/// The permissions that a client of all routes needs: the least privileged one of each route, and the one for the settings of teams.
pub(crate) fn default_roles() -> Vec<String> {
    let mut roles: Vec<String> = Vec::new();
    for role in all().filter_map(|route| route.permissions.first()).chain(&["TeamSettings.Read.All"]) {
        if !roles.iter().any(|have| have == role) {
            roles.push((*role).to_owned());
        }
    }
    roles
}

impl<'de> Deserialize<'de> for Class {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Class, D::Error> {
        let name = String::deserialize(deserializer)?;
        let known = all().map(|route| route.class).chain([Class::Token, Class::Other]);
        known.into_iter().find(|class| class.name() == name).ok_or_else(|| D::Error::custom(format!("unknown class {name}")))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Route, all};

    fn of(path: &str) -> (&'static str, String) {
        let (route, ids) = Route::find(path);
        (route.path, ["team", "channel", "message", "reply"].map(|name| ids.get(name).unwrap_or("-")).join(" "))
    }

    #[test]
    fn both_styles_of_a_path_have_the_same_route() {
        let messages = ("teams/{team}/channels/{channel}/messages", "t 19:a@thread.tacv2 - -".to_owned());
        assert_eq!(of("/v1.0/teams/t/channels/19:a@thread.tacv2/messages"), messages);
        assert_eq!(of("/v1.0/teams('t')/channels('19%3Aa%40thread.tacv2')/messages"), messages);
        assert_eq!(of("/v1.0/teams/t/channels/c/messages('1')/replies/2").1, "t c 1 2");
    }

    #[test]
    fn a_literal_segment_takes_precedence_over_an_id() {
        let delta = ("teams/{team}/channels/{channel}/messages/delta", "t c - -".to_owned());
        for name in ["delta", "delta()", "microsoft.graph.delta()", "microsoft.graph.delta"] {
            assert_eq!(of(&format!("/v1.0/teams/t/channels/c/messages/{name}")), delta);
        }
    }

    #[test]
    fn other_paths_are_unknown() {
        for path in ["/v1.0/teams/t/channels/c/tabs", "/beta/teams", "/v1.0", "/v1.0/teams/t/members/m/x", "/v1.0/groups/"] {
            assert_eq!(of(path).0, "", "{path}");
        }
    }

    #[test]
    fn each_path_is_declared_once() {
        let paths: Vec<&str> = all().map(|route| route.path).collect();
        assert_eq!(paths.iter().collect::<HashSet<_>>().len(), paths.len(), "{paths:?}");
    }
}
