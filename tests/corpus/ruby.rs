//! Ruby. Gems cannot be had where these tests run, so what needs them runs on those of Debian.

use crate::ask::{Ask, Write};
use crate::project::{Edit, Project};

/// Rails of Debian, with one page to write to. Its gems for development cannot be had here.
const RAILS: &str = r#"
rails new new --skip-bundle --skip-javascript --skip-git --skip-bootsnap --skip-spring \
    --skip-listen --skip-test --skip-webpack-install > /dev/null
mv new/* new/.ruby-version .
rm -r new
sed -i '/^group /,/^end/d; /tzinfo-data/d; /git_source/d' Gemfile
bundle lock --local > /dev/null
rails generate scaffold guest name:string > /dev/null
echo 'Rails.application.routes.draw { root "guests#index"; resources :guests }' > config/routes.rb
printf '/log/*\n/tmp/*\n/storage/*\n/public/assets\n/config/master.key\n/db/*.sqlite3*\n' > .gitignore
sed -i 's/^end$/  skip_forgery_protection\nend/' app/controllers/application_controller.rb
printf '%s' 0123456789abcdef0123456789abcdef > config/master.key
rm config/credentials.yml.enc
"#;

pub const PROJECTS: &[Project] = &[
    // By hand: Sinatra has no generator. This is the layout of its README.
    Project {
        name: "sinatra-classic",
        ecosystem: "Ruby",
        files: "sinatra-classic",
        host_packages: &["ruby-sinatra", "puma"],
        asks: &[
            Ask::Page("/", "Put this in your pipe"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/guests/Ada", "Hello Ada"),
        ],
        fixed: true,
        ..Project::PLAIN
    },
    Project {
        name: "rails",
        ecosystem: "Ruby",
        make: RAILS,
        needs: &["rails", "bundle", "sqlite3"],
        host_packages: &[
            "ruby-rails",
            "ruby-sprockets-rails",
            "ruby-sass-rails",
            "ruby-jbuilder",
            "ruby-sqlite3",
            "bundler",
            "puma",
        ],
        // Gems come from the system, since nothing else can be had here.
        edits: &[Edit {
            says: "Gemfile.lock locks the gems",
            does: r#"sed -i 's/BUNDLE_PATH = "vendor\/bundle", //; s/, "vendor\/bundle"//; /^    "vendor\/bundle",$/d' ship.toml"#,
        }],
        env: &[("SECRET_KEY_BASE", "not-a-secret-not-a-secret-not-a-secret")],
        asks: &[
            Ask::Page("/", "Guests"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/guests/new", "New Guest"),
        ],
        writes: Some(Write {
            path: "/guests",
            media: "application/x-www-form-urlencoded",
            body: "guest[name]=Ada",
            then: Ask::Page("/", "Ada"),
        }),
        ..Project::PLAIN
    },
];
