//! Capistrano 3, as its own guide sets it up.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::app::{App, finish};
use crate::contender::{Action, Contender, Site};
use crate::packages;
use crate::rsync::serve;

/// Releases come from a git repository on the host itself, the nearest that one can be; what is
/// new is pushed to it first.
pub struct Capistrano;

const CAPFILE: &str = r#"require "capistrano/setup"
require "capistrano/deploy"
require "capistrano/scm/git"
install_plugin Capistrano::SCM::Git
"#;

/// `{...}` are filled in.
const DEPLOY: &str = r#"lock "~> 3.17"
set :application, "{app}"
set :repo_url, "/srv/{service}/app.git"
set :branch, "main"
set :deploy_to, "/srv/{service}"
set :keep_releases, 5
set :ssh_options, { config: ENV.fetch("SSH_CONFIG"), keys: [ENV.fetch("SSH_KEY")], forward_agent: false }

namespace :app do
  task :restart do
    on roles(:web) do
      execute :sudo, "-n systemctl restart {service}"
      execute "for i in $(seq 600); do curl -fsS -o /dev/null --max-time 5 {health} 2> /dev/null && exit 0; sleep 0.05; done; exit 1"
    end
  end
end
after "deploy:publishing", "app:restart"
"#;

impl Capistrano {
    /// Where `cap` runs.
    fn folder(site: &Site) -> PathBuf {
        site.lab.folder(&format!("capistrano-{}", site.app.name))
    }

    fn service(app: &App) -> String {
        format!("cap-{}", app.name)
    }

    /// git in a repository of its own, that holds what is released.
    fn git(site: &Site, args: &[&str]) -> Result<(), String> {
        let mut git = site.person().command("git");
        git.current_dir(&site.app.folder)
            .env("GIT_DIR", Self::folder(site).join("repository"))
            .env("GIT_WORK_TREE", &site.app.folder);
        finish(git.args(args))
    }

    fn write_recipe(site: &Site) -> Result<(), String> {
        let service = Self::service(site.app);
        let port = site.app.port + 4;
        let deploy = DEPLOY
            .replace("{app}", site.app.name)
            .replace("{service}", &service)
            .replace("{health}", &format!("http://127.0.0.1:{port}/healthz"));
        let mut stage = String::new();
        for host in site.hosts {
            stage += &format!(
                "server \"{}\", user: \"deploy\", roles: %w[web]\n",
                host.name()
            );
        }
        let folder = Self::folder(site);
        fs::create_dir_all(folder.join("config/deploy"))
            .and_then(|()| fs::write(folder.join("Capfile"), CAPFILE))
            .and_then(|()| fs::write(folder.join("config/deploy.rb"), deploy))
            .and_then(|()| fs::write(folder.join("config/deploy/production.rb"), stage))
            .map_err(|error| error.to_string())
    }
}

impl Contender for Capistrano {
    fn name(&self) -> &'static str {
        "capistrano"
    }

    fn missing(&self) -> Option<String> {
        let packages = ["capistrano", "ruby-ed25519", "ruby-bcrypt-pbkdf"];
        let there = packages::have_here("cap", &packages);
        (!there).then(|| "capistrano".to_owned())
    }

    fn set_up(&self, site: &Site) -> Result<(), String> {
        let service = Self::service(site.app);
        for host in site.hosts {
            packages::install(host, &["git"])?;
            serve(host, &service, site.app, site.app.port + 4);
            host.sh_as(
                "deploy",
                &format!(
                    "cd /srv/{service} && git init -q --bare --initial-branch=main app.git && \
                     git -C app.git config receive.autogc false"
                ),
            );
        }
        let _ = fs::remove_dir_all(Self::folder(site));
        Self::write_recipe(site)?;
        Self::git(site, &["init", "-q"])?;
        // It would go on in the background, while others are measured.
        Self::git(site, &["config", "gc.auto", "0"])
    }

    /// Commits what changed: the others' releases are committed too.
    fn prepare(&self, site: &Site, _: Action) -> Result<(), String> {
        Self::git(site, &[&["add", "--force", "--"], site.app.files].concat())?;
        Self::git(
            site,
            &["commit", "-q", "--allow-empty", "-m", &site.app.version()],
        )
    }

    fn command(&self, site: &Site, action: Action) -> Command {
        let folder = Self::folder(site);
        let script = match action {
            Action::Rollback => "exec cap production deploy:rollback",
            _ => {
                "for host; do GIT_SSH_COMMAND=\"ssh -F $SSH_CONFIG\" git --git-dir repository \
                 push -q \"$host:$REPOSITORY\" main || exit; done; exec cap production deploy"
            }
        };
        let mut command = site.person().command("sh");
        command
            .args(["-c", script, "sh"])
            .args(site.destinations())
            .env("SSH_CONFIG", site.person().ssh_config())
            .env("SSH_KEY", site.person().home().join(".ssh/id_ed25519"))
            .env(
                "REPOSITORY",
                format!("/srv/{}/app.git", Self::service(site.app)),
            )
            .current_dir(folder);
        command
    }

    fn port(&self, app: &App) -> Option<u16> {
        Some(app.port + 4)
    }
}
