//! `schema`: prints the types of the columns for one reader.

use std::io::{self, Write};

use super::{
    exit::{Exit, print},
    logging::{self, LogOptions},
    stream_name,
};
use crate::{cli, console::Log, schema, streams::Stream};

pub(super) fn run(args: &cli::Schema, options: &LogOptions, mut out: impl Write) -> io::Result<Exit> {
    let streams: Result<Vec<_>, _> = match &*args.streams {
        [] => Ok(Stream::defaults().collect()),
        names => names.iter().map(|name| stream_name::parse(name)).collect(),
    };
    match streams {
        Ok(streams) => print(&mut out, &schema::text(args.reader, &streams, args.nested)),
        Err(error) => {
            let level = options.level([]);
            let screen = options.screen(level);
            Log::new(logging::plain_format(&screen), level, options.secrets.clone(), screen.log()).critical(&error.to_string());
            Ok(Exit::Failure)
        }
    }
}
