//! `members`: the members of each team (graph.md 2.4).

use super::{ParentKind, Source, Stream, columns, schema};
use crate::{
    graph::{Permission, Request},
    record::Member,
};

/// What lets the members of a team be listed.
static LISTS_MEMBERS: Permission = Permission::new(&["TeamMember.Read.All", "TeamMember.ReadWrite.All"]);

/// The members of teams.
pub static MEMBERS: Stream = Stream {
    name: "members",
    description: "Members of the teams that are read: owners, members and guests.",
    primary_key: &["team_id", "id"],
    cursor: None,
    parents: ParentKind::Team,
    permissions: &[&LISTS_MEMBERS],
    source: Source::ListOfTeam {
        request: |team, top| Request::get(["teams", team, "members"]).query("$top", top.unwrap_or(999)),
        never_empty: false,
    },
    schema: schema::<Member>(),
    columns: columns::<Member>(),
};
