//! `key new`, `key import` and `key address`. Keys and passphrases come from files or a pipe, never from the command line.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

use super::print;
use super::selection::Selection;
use crate::chain::signer::error::KeyError;
use crate::config::secret;
use crate::node::assemble;
use crate::operator::keys::{self, Addresses, MadeKey};

/// Subcommands of `key`.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key and write it encrypted.
    #[command(after_help = "Examples:
  veriregime-agent key new secrets/wallet.json --passphrase-file secrets/wallet.passphrase

Makes the passphrase, too, if its file is not there. Prints the address; the key itself is never shown. No file is ever
overwritten. Both files, and folders that are made for them, belong to their owner only. Keep copies of both, apart from each other.")]
    New(FileArgs),
    /// Write a key that you have, encrypted.
    #[command(after_help = "Examples:
  veriregime-agent key import secrets/wallet.json --passphrase-file secrets/wallet.passphrase --from secrets/wallet.key
  pass show wallet | veriregime-agent key import secrets/wallet.json --passphrase-file secrets/wallet.passphrase

Without --from, the key comes through a pipe: 64 hex digits. It is never an argument, which other users of the machine could
see.")]
    Import(ImportArgs),
    /// Print the addresses of the configured wallet and attestor.
    #[command(after_help = "Examples:
  veriregime-agent --config agent.toml key address")]
    Address,
}

/// Where a keystore is written.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// Keystore to write; must not be there yet.
    #[arg(value_name = "KEYSTORE")]
    keystore: PathBuf,
    /// File with the passphrase, in one line; made with a random one if it is not there.
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// Options of `key import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    file: FileArgs,
    /// File with the key's 64 hex digits.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
}

/// Runs the subcommand.
///
/// # Errors
/// A key or passphrase that is none, a file that is there already or cannot be written.
pub async fn run(command: KeyCommand, settings: Selection<'_>, json: bool) -> anyhow::Result<()> {
    match command {
        KeyCommand::New(args) => print::output(json, &args.write(None).await?),
        KeyCommand::Import(args) => {
            let key = match &args.from {
                Some(path) => secret::read_key(path)?,
                None => piped()?,
            };
            print::output(json, &args.file.write(Some(&key)).await?);
        }
        KeyCommand::Address => {
            let chain = assemble::deployer(&settings.one()?).await?;
            print::output(json, &Addresses { wallet: chain.address(), attestor: chain.attestor() });
        }
    }
    Ok(())
}

impl FileArgs {
    async fn write(&self, key: Option<&SecretString>) -> anyhow::Result<MadeKey> {
        keys::write(&self.keystore, &self.passphrase_file, key).await
    }
}

/// The key that somebody pipes in.
fn piped() -> Result<SecretString, KeyError> {
    let fault = |reason| KeyError::Piped { reason };
    let input = std::io::stdin();
    if input.is_terminal() {
        return Err(fault("what is typed on a terminal is shown"));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let read = input.take(secret::MAX_SECRET_BYTES).read_to_end(&mut bytes);
    read.map_err(|_| fault("the pipe broke"))?;
    secret::key(&bytes).map_err(fault)
}
