//! `ship man`.

use clap::Args;

/// Prints the manual page, for `man -l -`
#[derive(Debug, Clone, Args)]
pub struct ManArgs {}

/// Runs it; the exit code.
pub fn run(_args: &ManArgs) -> u8 {
    let mut bytes = Vec::new();
    let mut definition = super::definition();
    definition.build();
    let rendered = clap_mangen::Man::new(definition.clone())
        .render(&mut bytes)
        .and_then(|()| {
            for command in definition
                .get_subcommands()
                .filter(|command| !command.is_hide_set())
            {
                let name = format!("ship-{}", command.get_name());
                let page = clap_mangen::Man::new(command.clone().bin_name(name));
                bytes.extend_from_slice(
                    format!(".SH SHIP {}\n", command.get_name().to_uppercase()).as_bytes(),
                );
                page.render_description_section(&mut bytes)?;
                page.render_options_section(&mut bytes)?;
            }
            Ok(())
        });
    super::print(&bytes);
    u8::from(rendered.is_err())
}
