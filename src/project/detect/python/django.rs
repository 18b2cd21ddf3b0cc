//! Django: what `manage.py` and the settings tell.

use super::super::files::ignored;
use super::super::folder::Folder;
use super::super::guess::{Guess, HealthGuess, HookGuess, Strength};
use super::super::reason::About;
use super::super::text::literals;
use super::super::variables::is_name;
use super::copy_scripts;
use super::dependencies::{Dependencies, vendor_dir};
use super::production;
use super::server::{App, Callable, Interface, Server, UWSGI_INI};
use super::settings::{Settings, code, folder_in, module as settings_module};

/// What a Django project says about itself.
pub(super) struct Django {
    /// The settings that a server uses.
    pub settings: Settings,
    /// The module of the settings for `manage.py`, when it is another one.
    manage: Option<String>,
    /// The settings that the project's files name, when those of production are taken instead.
    named: Option<String>,
    /// What keeps the settings for production from being used.
    lacks: Option<String>,
    /// Whether no file of the project names its settings.
    is_unnamed: bool,
    app: App,
}

/// Reads the project; `None` when `manage.py` is not Django's.
pub(super) fn read(folder: &Folder, dependencies: &Dependencies) -> Option<Django> {
    let manage = folder.read("manage.py")?;
    if !manage.contains("DJANGO_SETTINGS_MODULE") && !dependencies.packages.has("django") {
        return None;
    }
    let manage = settings_module(&manage);
    let sites = || {
        let has = |name: &&str| {
            let files = ["settings.py", "settings/__init__.py"].map(|it| format!("{name}/{it}"));
            files.iter().any(|file| folder.is_file(file))
        };
        folder.names().filter(has)
    };
    let site = match &manage {
        Some(module) => module.split('.').next().unwrap_or_default().to_owned(),
        None => sites().next().unwrap_or("config").to_owned(),
    };
    let served = |file: &str| settings_module(&folder.read(&format!("{site}/{file}.py"))?);
    let settings = served("wsgi")
        .or_else(|| served("asgi"))
        .or_else(|| manage.clone());
    // Whoever starts it says which, as far as the project goes.
    let is_unnamed = settings.is_none() && manage.is_none();
    let settings = settings.unwrap_or_else(|| unnamed(folder, &site));
    // Settings that git leaves out are those of one machine.
    let usual = format!("{site}.settings");
    let absent = Some(&settings)
        .filter(|module| **module != usual && !is_released(folder, module))
        .filter(|_| is_released(folder, &usual))
        .cloned();
    let settings = if absent.is_some() { usual } else { settings };
    let packages = &dependencies.packages;
    let app = |kind: &str, interface| App {
        module: format!("{site}.{kind}"),
        callable: Callable::Object("application".to_owned()),
        interface,
    };
    let asgi = app("asgi", Interface::Asgi);
    let wsgi = app("wsgi", Interface::Wsgi);
    let wants_asgi = packages.has("channels") || Server::of(&wsgi, packages).is_none();
    let serves_asgi =
        folder.is_file(&format!("{site}/asgi.py")) && Server::of(&asgi, packages).is_some();
    let named = Settings::read(folder, settings);
    let mut lacks = absent.map(|module| {
        format!(
            "{module}, which the project starts with, is not in the repository, so {} is used",
            named.module
        )
    });
    let production = production::beside(folder, &named).filter(|found| {
        let is_whole = found.value("SECRET_KEY").is_some();
        if !is_whole {
            lacks = Some(format!(
                "{} is for production, but Django cannot start with it: it has no SECRET_KEY. So {} \
                 is used: write SECRET_KEY = os.environ[\"DJANGO_SECRET_KEY\"] there, then \
                 `ship init --force`",
                found.file, named.module
            ));
        }
        is_whole
    });
    let (settings, named) = match production {
        Some(settings) => (settings, Some(named.module)),
        None => (named, None),
    };
    Some(Django {
        manage: manage.filter(|module| *module != settings.module),
        settings,
        named,
        lacks,
        is_unnamed,
        app: if wants_asgi && serves_asgi {
            asgi
        } else {
            wsgi
        },
    })
}

/// The settings of a project that names none: those for production, or what the others begin with.
fn unnamed(folder: &Folder, site: &str) -> String {
    let modules = ["production", "prod", "base", "common", "defaults"];
    let mut modules = modules
        .map(|name| format!("{site}.settings.{name}"))
        .into_iter();
    let found = modules.find(|module| is_released(folder, module));
    found.unwrap_or_else(|| format!("{site}.settings"))
}

/// Whether a release has the file of `module`.
fn is_released(folder: &Folder, module: &str) -> bool {
    let path = module.replace('.', "/");
    let ignored = ignored(folder);
    let mut files = [format!("{path}.py"), format!("{path}/__init__.py")].into_iter();
    files.any(|file| {
        let name = file.rsplit('/').next().unwrap_or_default();
        folder.is_file(&file) && !ignored.contains(&file) && !ignored.contains(name)
    })
}

/// Where static files of Django go that no process here serves (django-storages). Whoever uploads them
/// needs the keys, which a build has not.
const STORAGES: &[&str] = &[
    "storages.backends.",
    "S3ManifestStaticStorage",
    "S3StaticStorage",
];

impl Django {
    /// The version that wrote the settings: `5.2` of its "Generated by … using Django 5.2.1".
    pub fn version(&self) -> Option<String> {
        let (_, rest) = self.settings.text.split_once("using Django ")?;
        let mut numbers = rest.split(|c: char| !c.is_ascii_digit());
        Some(format!("{}.{}", numbers.next()?, numbers.next()?))
    }

    /// What it says about the manifest.
    pub fn tell(&self, folder: &Folder, dependencies: &Dependencies, guess: &mut Guess) {
        guess.because(
            About::Service,
            "manage.py",
            format!("is Django's; its settings are {}", self.settings.module),
        );
        self.serve(folder, dependencies, guess);
        guess.notes.extend(self.lacks.clone());
        if let Some(named) = &self.named {
            let name = "DJANGO_SETTINGS_MODULE".to_owned();
            let module = &self.settings.module;
            let says =
                format!("is for production, and the project starts with {named}: {name} says so");
            guess.because(About::Service, &self.settings.file, says);
            guess.build.env.insert(name.clone(), module.clone());
            guess.env.insert(name, module.clone());
        } else if self.manage.is_some() || self.is_unnamed {
            let name = "DJANGO_SETTINGS_MODULE".to_owned();
            guess
                .build
                .env
                .insert(name.clone(), self.settings.module.clone());
            guess.service_env.insert(name, self.settings.module.clone());
        }
        if self.settings.text.contains("DATABASES") {
            guess
                .hooks
                .push(HookGuess::once("python3 manage.py migrate --noinput"));
            guess.because_quietly(About::Hook, &self.settings.file, "names a database");
        }
        self.assets(folder, dependencies, guess);
        self.hosts(guess);
        self.health(folder, guess);
        self.secret_key(guess);
    }

    /// Whether the database is a file, which tests can make.
    pub fn uses_sqlite(&self) -> bool {
        self.settings.text.contains("sqlite") || !self.settings.text.contains("DATABASES")
    }

    fn serve(&self, folder: &Folder, dependencies: &Dependencies, guess: &mut Guess) {
        let server = Server::of(&self.app, &dependencies.packages);
        let vendor = vendor_dir(folder);
        let (command, port) = match server {
            Some(server) => server.command(&self.app, folder, vendor),
            None => (
                "python3 manage.py runserver --noreload 0.0.0.0:$PORT".to_owned(),
                8000,
            ),
        };
        copy_scripts(dependencies, &command, vendor, guess);
        guess.runs(Strength::Certain, command);
        guess.framework = Some(("Django".to_owned(), port));
        if server.is_none() {
            let add = dependencies.add("gunicorn");
            if let Some(service) = guess.services.first_mut() {
                service
                    .why
                    .push("This is Django's development server.".to_owned());
            }
            guess.note(format!(
                "`manage.py runserver` is a development server: {add}, then `ship init --force`"
            ));
        }
    }

    /// The CSS of the admin and of the apps: who serves it, and from where.
    fn assets(&self, folder: &Folder, dependencies: &Dependencies, guess: &mut Guess) {
        let root = self.settings.value("STATIC_ROOT");
        let whitenoise = self.settings.text.contains("whitenoise.middleware");
        if STORAGES
            .iter()
            .any(|name| self.settings.text.contains(name))
        {
            guess.because(
                About::Hook,
                &self.settings.file,
                "keeps static files elsewhere",
            );
            let upload = "python3 manage.py collectstatic --noinput";
            guess.hooks.push(HookGuess::once(upload));
            return;
        }
        match root.as_deref().and_then(folder_in) {
            Some(root) => {
                guess
                    .build
                    .push("python3 manage.py collectstatic --noinput");
                guess.because_quietly(
                    About::Build,
                    &self.settings.file,
                    format!("has STATIC_ROOT, {root}"),
                );
                guess.add(root);
            }
            None if root.is_some() => guess.note(format!(
                "{} has a STATIC_ROOT outside the project, so `collectstatic` was left out: a \
                 release holds BASE_DIR / \"staticfiles\"",
                self.settings.file
            )),
            None => {}
        }
        let debug = self
            .settings
            .value("DEBUG")
            .is_some_and(|value| value.trim() == "True");
        let by_server = Server::of(&self.app, &dependencies.packages).is_some();
        let ini = folder
            .read(UWSGI_INI)
            .filter(|text| text.contains("static-map"));
        let mut commands = guess.services.iter().filter_map(|it| it.command.as_ref());
        let is_mapped = ini.is_some() && commands.any(|it| it.contains(UWSGI_INI));
        let set = match root {
            Some(_) => "",
            None => ", and set STATIC_ROOT = BASE_DIR / \"staticfiles\" there",
        };
        if !whitenoise && !is_mapped && self.settings.text.contains("django.contrib.staticfiles") {
            // The development server serves them itself.
            let which = match by_server || !debug {
                true => "nothing serves",
                false => "only the development server serves",
            };
            let add = dependencies.add("whitenoise");
            guess.note(format!(
                "{which} the static files of Django (the admin's CSS): {add}, put \
                 whitenoise.middleware.WhiteNoiseMiddleware behind SecurityMiddleware in {file}{set}",
                file = self.settings.file
            ));
        } else if whitenoise && root.is_none() {
            guess.note(format!(
                "whitenoise serves STATIC_ROOT, which {} does not set: add STATIC_ROOT = BASE_DIR \
                 / \"staticfiles\"",
                self.settings.file
            ));
        }
    }

    /// `ALLOWED_HOSTS` and what else a health check must say.
    fn hosts(&self, guess: &mut Guess) {
        let debug = self
            .settings
            .value("DEBUG")
            .is_some_and(|value| value.trim() == "True");
        let value = self.settings.value("ALLOWED_HOSTS").unwrap_or_default();
        let hosts = literals(&value);
        let from_environment = value.contains("env") || value.contains("config(");
        let is_empty = value.is_empty() || value.replace(' ', "") == "[]";
        let lacks = match value.is_empty() {
            true => "has no ALLOWED_HOSTS",
            false => "leaves ALLOWED_HOSTS empty",
        };
        if is_empty && !debug && !from_environment {
            guess.note(format!(
                "{} {lacks}, so Django answers nobody: put the names of your site there, \
                 and 127.0.0.1 for the health check",
                self.settings.file
            ));
        } else if is_empty && debug {
            guess.note(format!(
                "{} {lacks}, so Django answers on localhost alone: put the names of \
                 your site there, and DEBUG = False",
                self.settings.file
            ));
        } else if debug {
            guess.note(format!(
                "{} has DEBUG = True, so a page that fails shows code and settings to visitors: \
                 write DEBUG = os.environ.get(\"DJANGO_DEBUG\") == \"1\"",
                self.settings.file
            ));
        }
        let is_any = hosts.contains(&"*");
        if !is_any && !from_environment && !hosts.is_empty() {
            guess.note(format!(
                "Django answers only where visitors ask for {}: if your site has another name, add it \
                 to ALLOWED_HOSTS in {}",
                hosts.join(", "),
                self.settings.file
            ));
        }
        let open = hosts.iter().any(|host| ["*", "127.0.0.1"].contains(host));
        let named_there = hosts.iter().find(|text| is_name(text));
        let variable = match named_there.filter(|_| from_environment) {
            Some(variable) => Some((*variable).to_owned()),
            // `if names := os.getenv("ALLOWED_HOSTS"):`
            None if hosts.is_empty() => self.settings.read_for("ALLOWED_HOSTS"),
            None => None,
        };
        if let Some(variable) = variable.filter(|_| !open) {
            let between = match value.contains(".split(' ')") || value.contains(".split()") {
                true => " ",
                false => ",",
            };
            let own = ["localhost", "127.0.0.1"].join(between);
            guess.env.entry(variable.clone()).or_insert(own);
            guess.note(format!(
                "Django answers only where visitors ask for the names in {variable}: add those of your \
                 site to it in `env`"
            ));
            return self.https(guess);
        }
        let named = hosts
            .iter()
            .find(|host| host.contains('.') && !host.starts_with('.'));
        if !open && (!debug || !hosts.is_empty()) {
            match named.filter(|_| !from_environment) {
                Some(host) => {
                    guess
                        .health_headers
                        .insert("Host".to_owned(), (*host).to_owned());
                }
                None => {
                    guess.knows_no_host = true;
                    guess.no_health = Some(
                        "ALLOWED_HOSTS does not hold 127.0.0.1, so a health route would not answer"
                            .to_owned(),
                    );
                }
            }
        }
        self.https(guess);
    }

    /// What a health check must say where Django redirects to HTTPS.
    fn https(&self, guess: &mut Guess) {
        if self
            .settings
            .value("SECURE_SSL_REDIRECT")
            .is_some_and(|value| !value.contains("False"))
        {
            match self.settings.value("SECURE_PROXY_SSL_HEADER") {
                Some(_) => {
                    let name = "X-Forwarded-Proto".to_owned();
                    guess.health_headers.insert(name, "https".to_owned());
                }
                None => {
                    guess.no_health = Some(
                        "Django redirects to https, so a health route would not answer".to_owned(),
                    );
                }
            }
        }
    }

    /// A health route of the root `urls.py`, whose paths have no slash in front.
    fn health(&self, folder: &Folder, guess: &mut Guess) {
        const ROUTES: &[&str] = &["healthz", "health", "livez", "up", "ping", "status"];
        let site = self.app.module.split('.').next().unwrap_or_default();
        let file = format!("{site}/urls.py");
        let text = folder.read(&file).unwrap_or_default();
        let routed: Vec<&str> = code(&text)
            .filter(|line| line.contains("path(") && !line.contains("include("))
            .filter_map(|line| literals(line).first().copied())
            .collect();
        let route = ROUTES.iter().find_map(|name| {
            let mut routed = routed.iter();
            routed.find(|route| route.trim_matches('/') == *name)
        });
        let Some(route) = route else { return };
        match (guess.no_health.clone(), guess.services.first_mut()) {
            (Some(why), _) => guess.note(why),
            (None, Some(service)) => {
                service.health = Some(HealthGuess {
                    is_page: false,
                    refuses_with_400: true,
                    path: format!("/{route}"),
                    headers: guess.health_headers.clone(),
                });
                guess.because(About::Health, file, format!("answers /{route}"));
            }
            (None, None) => {}
        }
    }

    fn secret_key(&self, guess: &mut Guess) {
        for name in self.settings.required() {
            guess.secret(name, &self.settings.file);
        }
        let key = self.settings.value("SECRET_KEY").unwrap_or_default();
        let is_written = |text: &&str| text.starts_with("django-insecure-");
        let is_read = key.contains("env") || key.contains("config(");
        if !is_read && literals(&key).iter().any(is_written) {
            guess.note(format!(
                "{} holds its SECRET_KEY: write SECRET_KEY = os.environ[\"DJANGO_SECRET_KEY\"], \
                 and name that in `secrets` of the environment",
                self.settings.file
            ));
        }
    }
}
