//! `meanwhile completions`.

use clap::{Args, ValueEnum};

/// Print the completions of a shell.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  meanwhile completions bash > ~/.local/share/bash-completion/completions/meanwhile
  meanwhile completions zsh > ~/.zfunc/_meanwhile
  meanwhile completions fish > ~/.config/fish/completions/meanwhile.fish

Exit code: 0; 125 meanwhile itself failed; 2 wrong usage.")]
pub(crate) struct Completions {
    /// For this shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}
