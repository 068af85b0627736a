//! The newest log lines in memory, for whoever looks on from a browser: bounded, and without what no log may have.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use crate::clock::Clock;

/// Lines that are kept.
pub const MAX_LINES: usize = 500;
/// Letters of a message, and of the value of a field.
const MAX_LETTERS: usize = 500;
/// Fields of a line, those of its spans included.
const MAX_FIELDS: usize = 24;
/// Where an address begins, behind its scheme.
const SCHEME_END: &str = "://";
/// What stands where something was left out.
const LEFT_OUT: &str = "…";

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// Number of the line since the start of the process, from 1.
    pub seq: u64,
    pub time_ms: i64,
    /// `ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.
    pub level: &'static str,
    /// The part of the program that speaks.
    pub target: String,
    pub message: String,
    /// In the order in which they were said, those of outer spans first.
    pub fields: Vec<(String, String)>,
}

/// The newest lines.
#[derive(Debug)]
pub struct Ring(Mutex<Lines>);

#[derive(Debug)]
struct Lines {
    newest: u64,
    /// Oldest first.
    kept: VecDeque<LogLine>,
}

/// The lines of this process.
pub static LINES: Ring = Ring::new();

impl Ring {
    const fn new() -> Self {
        Self(Mutex::new(Lines { newest: 0, kept: VecDeque::new() }))
    }

    /// The oldest `limit` of the kept lines behind that number, oldest first; without a number the newest.
    pub fn after(&self, seq: Option<u64>, limit: usize) -> Vec<LogLine> {
        let lines = self.lock();
        let Some(seq) = seq else {
            return lines.kept.iter().skip(lines.kept.len().saturating_sub(limit)).cloned().collect();
        };
        lines.kept.iter().filter(|line| line.seq > seq).take(limit).cloned().collect()
    }

    fn push(&self, said: Said, level: Level, target: &str) {
        let time_ms = Clock::System.now_ms();
        let mut lines = self.lock();
        lines.newest += 1;
        let seq = lines.newest;
        if lines.kept.len() >= MAX_LINES {
            lines.kept.pop_front();
        }
        let Said { message, fields } = said;
        lines.kept.push_back(LogLine { seq, time_ms, level: level.as_str(), target: cut(target), message, fields });
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes every line that is logged into a ring.
#[derive(Debug)]
pub(super) struct RingLayer(pub(super) &'static Ring);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RingLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Said::default();
        attributes.record(&mut said);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(said);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(said) = span.extensions_mut().get_mut::<Said>()
        {
            values.record(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Said>() {
                of_span.fields.iter().for_each(|(name, value)| said.add(name, value.clone()));
            }
        }
        event.record(&mut said);
        self.0.push(said, *event.metadata().level(), event.metadata().target());
    }
}

/// What a line or a span says.
#[derive(Debug, Default)]
struct Said {
    message: String,
    fields: Vec<(String, String)>,
}

impl Said {
    fn add(&mut self, name: &str, value: String) {
        if name == "message" {
            self.message = value;
        } else if let Some((_, known)) = self.fields.iter_mut().find(|(known, _)| known == name) {
            *known = value;
        } else if self.fields.len() < MAX_FIELDS {
            self.fields.push((name.to_owned(), value));
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field.name(), cut(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = Bounded::default();
        // A text that was cut off is an error of the writer's, and wanted.
        let _whole = fmt::write(&mut text, format_args!("{value:?}"));
        self.add(field.name(), cut(&text.0));
    }
}

/// A text that takes no more than will be kept of it, however much is written.
#[derive(Default)]
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        // Four bytes a letter at most, and room for addresses that get shorter.
        if self.0.len() + part.len() > 8 * MAX_LETTERS {
            self.0.push_str(part.chars().take(MAX_LETTERS).collect::<String>().as_str());
            return Err(fmt::Error);
        }
        self.0.push_str(part);
        Ok(())
    }
}

/// A text as it is kept: no longer than it may be, and of addresses only scheme, host and port.
fn cut(text: &str) -> String {
    let text = without_secrets(text);
    match text.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => format!("{}{LEFT_OUT}", &text[..end]),
        None => text,
    }
}

/// A text whose addresses say no more than where they lead. Providers put their customers' keys into user name, path and query,
/// and a text of someone else's may quote one.
fn without_secrets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once(SCHEME_END) {
        kept.push_str(before);
        kept.push_str(SCHEME_END);
        let is_end = |letter: char| {
            letter.is_whitespace() || matches!(letter, '"' | '\'' | '<' | '>' | ')' | ']' | '}' | ',' | ';' | '`')
        };
        let (address, after) = behind.split_at(behind.find(is_end).unwrap_or(behind.len()));
        let authority_end = address.find(['/', '?', '#', '\\']).unwrap_or(address.len());
        let (authority, path) = address.split_at(authority_end);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        kept.push_str(host);
        if !path.trim_start_matches('/').is_empty() {
            kept.push('/');
            kept.push_str(LEFT_OUT);
        }
        rest = after;
    }
    kept + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// A ring of a test's own.
    fn logged(work: impl FnOnce()) -> Vec<LogLine> {
        let ring: &'static Ring = Box::leak(Box::new(Ring::new()));
        let subscriber = tracing_subscriber::registry().with(RingLayer(ring));
        tracing::subscriber::with_default(subscriber, work);
        ring.after(None, usize::MAX)
    }

    #[test]
    fn lines_have_their_fields_and_those_of_their_spans() {
        let lines = logged(|| {
            let _job = tracing::info_span!("job", job = "btc", period = tracing::field::Empty).entered();
            tracing::Span::current().record("period", 7);
            tracing::warn!(code = "VR-RPC-001", tries = 3, error = %"no\nanswer", "RPC set aside");
        });
        let [line] = lines.as_slice() else { unreachable!("{lines:?}") };
        assert_eq!((line.seq, line.level, line.message.as_str()), (1, "WARN", "RPC set aside"));
        let fields: Vec<_> = line.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let expected =
            [("job", "btc"), ("period", "7"), ("code", "VR-RPC-001"), ("tries", "3"), ("error", "no\nanswer")];
        assert_eq!(fields, expected);
        assert!(serde_json::to_string(line).unwrap().contains(r"no\nanswer"), "it stays one JSON string");
    }

    #[test]
    fn addresses_say_where_they_lead_and_no_more() {
        for (text, kept) in [
            (
                "asked https://user:key@rpc.example:8545/v2/SECRET?k=SECRET twice",
                "asked https://rpc.example:8545/… twice",
            ),
            ("(wss://rpc.example/ws/SECRET), wss://b/", "(wss://rpc.example/…), wss://b"),
            ("\"http://127.0.0.1:8545\"", "\"http://127.0.0.1:8545\""),
            ("https://a@b@SECRET.example#SECRET", "https://SECRET.example/…"),
            ("https://rpc.example?key=SECRET", "https://rpc.example/…"),
            ("no address: 1 / 2", "no address: 1 / 2"),
        ] {
            assert_eq!(cut(text), kept);
        }
    }

    #[test]
    fn no_number_and_no_length_of_lines_fills_the_memory() {
        let long = "x".repeat(1 << 20);
        let lines = logged(|| {
            for number in 0..MAX_LINES + 20 {
                tracing::info!(number, value = long, shown = ?long, "{long}");
            }
        });
        assert_eq!((lines.len(), lines[0].seq), (MAX_LINES, 21));
        let bytes: usize = lines.iter().map(|line| serde_json::to_vec(line).unwrap().len()).sum();
        assert!(bytes < 2 << 20, "{bytes}");
    }

    #[test]
    fn who_asks_again_gets_what_is_new() {
        let ring = Ring::new();
        for number in 0..10 {
            let said = Said { message: number.to_string(), fields: Vec::new() };
            ring.push(said, Level::INFO, "t");
        }
        let seqs = |after, limit| ring.after(after, limit).iter().map(|line| line.seq).collect::<Vec<_>>();
        assert_eq!(seqs(None, 3), [8, 9, 10]);
        assert_eq!(seqs(Some(4), 3), [5, 6, 7]);
        assert_eq!((seqs(Some(10), 3), seqs(Some(u64::MAX), 3)), (vec![], vec![]));
    }

    proptest! {
        #[test]
        fn whatever_stands_in_an_address_is_not_kept(
            before in "[a-z :]{0,20}", user in "[a-zA-Z0-9:]{0,10}", path in "[a-zA-Z0-9/_-]{1,20}", behind in "[ ,)][a-z ]{0,20}"
        ) {
            let text = format!("{before}https://{user}QQSECRETQQ@host.example/{path}QQSECRETQQ?a=QQSECRETQQ{behind}");
            let kept = cut(&text);
            prop_assert!(!kept.contains("SECRET") && kept.contains("host.example"), "{kept}");
            prop_assert!(kept.ends_with(&behind));
        }

        #[test]
        fn any_text_can_be_cut(text in "\\PC{0,600}") {
            prop_assert!(cut(&text).chars().count() <= MAX_LETTERS + 1);
        }
    }
}
