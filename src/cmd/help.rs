//! What the command line says of itself: help, completions, manual pages.

use std::path::Path;

use clap::{Command, CommandFactory};

use super::Cli;

/// Longest example with its meaning beside it.
const EXAMPLE_COLUMNS: usize = 76;

/// The command line. Paragraphs below a command's options are one line each, so that they are wrapped once: to the width that
/// is there.
pub fn command() -> Command {
    flowing(Cli::command())
}

fn flowing(command: Command) -> Command {
    let command = match command.get_after_help().map(|text| unwrapped(&text.to_string())) {
        Some(text) => command.after_help(text),
        None => command,
    };
    command.mut_subcommands(flowing)
}

/// Lines of a paragraph joined; examples, which are indented, stay lines, with a long meaning on a line of its own.
fn unwrapped(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut is_prose = false;
    for line in text.lines() {
        let continues = is_prose && !line.is_empty() && !line.starts_with(' ');
        match lines.last_mut().filter(|_| continues) {
            Some(last) => {
                last.push(' ');
                last.push_str(line);
            }
            None => lines.extend(example(line)),
        }
        is_prose = !line.is_empty() && !line.starts_with(' ') && !line.ends_with(':');
    }
    lines.join("\n")
}

fn example(line: &str) -> Vec<String> {
    match line.trim_start().split_once("  ") {
        Some((command, meaning)) if line.starts_with(' ') && line.chars().count() > EXAMPLE_COLUMNS => {
            vec![format!("  {command}"), format!("      {}", meaning.trim_start())]
        }
        _ => vec![line.to_owned()],
    }
}

/// The completion script for a shell.
pub fn completions(shell: clap_complete::Shell) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command(), "veriregime-agent", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}

/// Writes a manual page for the program and each of its commands, `veriregime-agent-models-list.1` among them.
///
/// # Errors
/// A folder that cannot be written.
pub fn write_pages(folder: &Path) -> anyhow::Result<()> {
    veriregime_files::create_folder(folder)?;
    let mut program = command().disable_help_subcommand(true);
    program.build();
    write_page(&program, folder)
}

fn write_page(command: &Command, folder: &Path) -> anyhow::Result<()> {
    let version = format!("veriregime-agent {}", env!("CARGO_PKG_VERSION"));
    let page = clap_mangen::Man::new(command.clone()).source(version).manual("veriregime-agent");
    let mut text = Vec::new();
    page.render(&mut text)?;
    veriregime_files::write_atomic(&folder.join(page.get_filename()), &text)?;
    command.get_subcommands().filter(|one| !one.is_hide_set()).try_for_each(|one| write_page(one, folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_one_line_and_an_example_keeps_its_own() {
        let text = "Examples:\n  agent audit\n  agent audit --follow --and --some --more    every update as it lands, until stopped\n\n\
                    It needs no key and\nasks nobody.\nExit status: 0.";
        let expected = "Examples:\n  agent audit\n  agent audit --follow --and --some --more\n      every update as it lands, until stopped\n\n\
                        It needs no key and asks nobody. Exit status: 0.";
        assert_eq!(unwrapped(text), expected);
    }
}
