//! Paths to routes: `/v1.0/teams/{id}/…` and the function style `teams('{id}')/…` of Graph's own links alike.

use crate::{encode::percent_decode, journal::Class, limits::Row};

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Groups,
    Group(String),
    Teams,
    Team(String),
    Channels(String),
    PrimaryChannel(String),
    Channel(String, String),
    Members(String),
    ChannelMembers(String, String),
    AllMembers(String, String),
    Messages(String, String),
    Delta(String, String),
    Message(String, String, String),
    Replies(String, String, String),
    Reply(String, String, String, String),
    RepliesDelta,
    /// A segment that Graph does not have there.
    Unknown(String),
}

impl Route {
    pub(crate) fn parse(path: &str) -> Route {
        let Some(rest) = path.strip_prefix("/v1.0/") else {
            return Route::Unknown(path.to_owned());
        };
        let segments: Vec<String> = rest.split('/').flat_map(split_function).collect();
        let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
        let id = |part: &&str| (*part).to_owned();
        match parts.as_slice() {
            ["groups"] => Route::Groups,
            ["groups", g] => Route::Group(id(g)),
            ["teams"] => Route::Teams,
            ["teams", t] => Route::Team(id(t)),
            ["teams", t, "channels"] => Route::Channels(id(t)),
            ["teams", t, "primaryChannel"] => Route::PrimaryChannel(id(t)),
            ["teams", t, "members"] => Route::Members(id(t)),
            ["teams", t, "channels", c] => Route::Channel(id(t), id(c)),
            ["teams", t, "channels", c, "members"] => Route::ChannelMembers(id(t), id(c)),
            ["teams", t, "channels", c, "allMembers"] => Route::AllMembers(id(t), id(c)),
            ["teams", t, "channels", c, "messages"] => Route::Messages(id(t), id(c)),
            ["teams", t, "channels", c, "messages", "delta" | "microsoft.graph.delta"] => Route::Delta(id(t), id(c)),
            ["teams", t, "channels", c, "messages", m] => Route::Message(id(t), id(c), id(m)),
            ["teams", t, "channels", c, "messages", m, "replies"] => Route::Replies(id(t), id(c), id(m)),
            ["teams", _, "channels", _, "messages", _, "replies", "delta" | "microsoft.graph.delta"] => Route::RepliesDelta,
            ["teams", t, "channels", c, "messages", m, "replies", r] => Route::Reply(id(t), id(c), id(m), id(r)),
            parts => Route::Unknown(parts.last().map(id).unwrap_or_default()),
        }
    }

    pub(crate) fn class(&self) -> Class {
        match self {
            Route::Groups | Route::Group(_) => Class::Groups,
            Route::Teams => Class::Teams,
            Route::Team(_) => Class::Team,
            Route::Channels(_) => Class::Channels,
            Route::Members(_) => Class::Members,
            Route::ChannelMembers(..) => Class::ChannelMembers,
            Route::AllMembers(..) => Class::AllMembers,
            Route::Messages(..) => Class::Messages,
            Route::Delta(..) => Class::Delta,
            Route::Message(..) | Route::Reply(..) => Class::Message,
            Route::Replies(..) | Route::RepliesDelta => Class::Replies,
            Route::PrimaryChannel(_) | Route::Channel(..) | Route::Unknown(_) => Class::Other,
        }
    }

    /// What it counts against (graph.md 6.1): replies have no row of their own, nor have all the members of a channel.
    pub(crate) fn row(&self) -> Row {
        match self {
            Route::Groups | Route::Group(_) => Row::Directory,
            Route::Team(_) => Row::Teams("team", 30),
            Route::Channels(_) => Row::Teams("channels", 60),
            Route::PrimaryChannel(_) | Route::Channel(..) => Row::Teams("channel", 30),
            Route::Members(_) => Row::Teams("team members", 60),
            Route::ChannelMembers(..) => Row::Teams("channel members", 60),
            Route::Messages(..) | Route::Delta(..) | Route::Message(..) => Row::Teams("channel messages", 20),
            Route::Teams | Route::AllMembers(..) | Route::Replies(..) | Route::RepliesDelta | Route::Reply(..) | Route::Unknown(_) => {
                Row::OTHER
            }
        }
    }

    pub(crate) fn team(&self) -> Option<&str> {
        match self {
            Route::Team(team) | Route::Channels(team) | Route::PrimaryChannel(team) | Route::Members(team) => Some(team),
            Route::AllMembers(team, _) => Some(team),
            Route::Channel(team, _) | Route::ChannelMembers(team, _) | Route::Messages(team, _) | Route::Delta(team, _) => Some(team),
            Route::Message(team, ..) | Route::Replies(team, ..) | Route::Reply(team, ..) => Some(team),
            _ => None,
        }
    }

    pub(crate) fn channel(&self) -> Option<&str> {
        match self {
            Route::AllMembers(_, channel) => Some(channel),
            Route::Channel(_, channel) | Route::ChannelMembers(_, channel) | Route::Messages(_, channel) => Some(channel),
            Route::Delta(_, channel) | Route::Message(_, channel, _) | Route::Replies(_, channel, _) => Some(channel),
            Route::Reply(_, channel, ..) => Some(channel),
            _ => None,
        }
    }

    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Route::Message(.., message) | Route::Replies(.., message) | Route::Reply(.., message) => Some(message),
            _ => None,
        }
    }
}

/// `channels('19:…')` is two segments; `delta()` is one.
fn split_function(segment: &str) -> Vec<String> {
    let segment = percent_decode(segment);
    match segment.split_once('(') {
        Some((name, ")")) => vec![name.to_owned()],
        Some((name, argument)) => match argument.strip_prefix('\'').and_then(|argument| argument.strip_suffix("')")) {
            Some(id) => vec![name.to_owned(), id.to_owned()],
            None => vec![segment],
        },
        None => vec![segment],
    }
}

#[cfg(test)]
mod tests {
    use super::Route;

    #[test]
    fn both_spellings_of_a_path_are_one_route() {
        let messages = Route::Messages("t".to_owned(), "19:a@thread.tacv2".to_owned());
        assert_eq!(Route::parse("/v1.0/teams/t/channels/19:a@thread.tacv2/messages"), messages);
        assert_eq!(Route::parse("/v1.0/teams('t')/channels('19%3Aa%40thread.tacv2')/messages"), messages);
        let delta = Route::Delta("t".to_owned(), "c".to_owned());
        assert_eq!(Route::parse("/v1.0/teams/t/channels/c/messages/delta()"), delta);
        assert_eq!(Route::parse("/v1.0/teams/t/channels/c/messages/microsoft.graph.delta()"), delta);
        assert_eq!(Route::parse("/v1.0/teams/t/channels/c/tabs"), Route::Unknown("tabs".to_owned()));
    }
}
