//! Mistakes, and all that a person reads about them.

use super::{SHOP, said, with};

/// Compares everything said about a manifest with a file in `snapshots/`.
macro_rules! mistake {
    ($name:ident, $text:expr) => {
        #[test]
        fn $name() {
            let text: String = $text.into();
            let seen = format!("{}\n{}", text.trim_end(), "-".repeat(80));
            insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
                insta::assert_snapshot!(stringify!($name), format!("{seen}\n{}", said(&text)));
            });
        }
    };
}

mistake!(an_empty_file, "");

mistake!(
    unknown_keys,
    with(
        "prot = 3000\nsteps = []\ncolour = 1\ncmd = \"x\"\nhealth = { pth = \"/\" }\n\
         [release]\nkeep_releases = 3\n[bulid]\nsteps = []\n"
    )
);

mistake!(
    a_misspelled_table_is_not_reported_as_missing,
    "[app]\nnmae = \"shop\"\n[service.web]\ncommand = \"serve\"\n[environments.live]\nhost = \"a\"\n"
);

mistake!(
    wrong_types,
    with(
        "port = \"3000\"\nenv = { A = 1, B = true }\nstop-timeout = 30\n\
         [build]\nsteps = \"npm ci\"\ninherit-env = \"yes\"\n[test]\nsteps = [1, [\"x\"]]\n\
         [environments]\nlive = []\n[[hooks.before-activate]]\nrun = \"x\"\non = 2020-01-01\n"
    )
);

mistake!(
    values_out_of_range,
    with(
        "port = 0\nstop-timeout = \"30 sec\"\nsettle = \"-1s\"\n[services.b]\nstatic = \".\"\n\
         port = 65536\n[release]\nkeep = 0\n[environments.live]\nhosts = [\"a\"]\n\
         rollout = { strategy = \"rolling\", batch = 0, lease = \"1s\" }\n[environments.test]\n\
         hosts = [\"b\"]\nrollout = { strategy = \"canary\", batch = \"101%\", bake = \"9999d\" }\n"
    )
);

mistake!(
    a_source_that_does_not_hold_the_manifest,
    "[app]\nname = \"shop\"\nsource = \"../web\"\n[services.web]\ncommand = \"serve\"\n"
);

mistake!(
    words_that_are_not_known,
    with(
        "type = \"forking\"\n[environments.live]\nhosts = [\"a\"]\nmanager = \"systemd_user\"\n\
         rollout = { strategy = \"blue-green\", on-failure = \"revertall\" }\n"
    )
);

mistake!(
    names_that_break_the_rule,
    "[app]\nname = \"My Shop\"\n[services.web_1]\ncommand = \"x\"\nenv = { \"A-B\" = \"1\", 1A = \"\" }\n\
     [environments.\"9to5\"]\nhosts = [\"-oProxyCommand=x\"]\nsecrets = [\"db url\"]\n"
);

mistake!(
    services_that_cannot_run,
    with(
        "static = \".\"\n[services.empty]\n[services.blank]\ncommand = \" \"\n\
         [services.argv]\ncommand = []\n[services.site]\nstatic = \"public\"\n\
         [services.api]\ncommand = \"x\"\nport = 80\nenv = { PORT = \"81\" }\n"
    )
);

mistake!(
    health_checks_that_prove_nothing,
    with(
        "health = \"/healthz\"\n\
         [services.a]\ncommand = \"x\"\nport = 1\nhealth = { path = \"healthz\" }\n\
         [services.b]\ncommand = \"x\"\nport = 2\nhealth = \"http://localhost/\"\n\
         [services.c]\ncommand = \"x\"\nport = 3\nhealth = { path = \"/\", command = \"x\" }\n\
         [services.d]\ncommand = \"x\"\nport = 4\nhealth = { status = 200 }\n\
         [services.e]\ncommand = \"x\"\nport = 5\nhealth = { successes = 10, interval = \"5s\" }\n\
         [services.f]\ncommand = \"x\"\nport = 6\nhealth = { timeout = \"3s\" }\n\
         [services.g]\ncommand = \"x\"\nport = 7\nhealth = { path = \"/\", status = 99, body = \"\" }\n"
    )
);

mistake!(
    paths_that_leave_the_project,
    with(
        "[release]\ninclude = [\"/etc/passwd\", \"../other\", \"a/../../b\", \"src/[a\", \"\"]\n\
         exclude = [\"!keep\", \"/\", \"a/../*\"]\n\
         shared = [\"up\", \"up/images\", \"./up/\", \"/data\", \"*.db\", \".\", \".ship/x\"]\n"
    )
);

mistake!(an_empty_list_of_files, with("[release]\ninclude = []\n"));

mistake!(
    files_that_are_never_released,
    with("[release]\ninclude = [\"dist\", \".env\", \"vendor/.git\"]\n")
);

mistake!(
    a_static_folder_that_is_not_released,
    with("[services.site]\nstatic = \"public\"\nport = 80\n[release]\ninclude = [\"dist\"]\n")
);

mistake!(
    two_services_on_one_port,
    with(
        "port = 3000\n[services.admin]\ncommand = \"x\"\nport = 3000\n[environments.live]\nhosts = [\"a\", \"b\"]\n"
    )
);

mistake!(
    two_services_on_one_port_meet_on_no_host_but_this,
    with(
        "port = 3000\n[services.admin]\ncommand = \"x\"\nport = 3000\n[environments.live]\n\
         hosts = [{ address = \"a\", services = [\"web\"] }, { address = \"b\", services = [\"admin\"] }]\n"
    )
);

mistake!(
    hosts_that_cannot_be,
    with(
        "[environments.live]\nhosts = [\"a\", \"a\", { services = [\"wbe\"] }, \
         { address = \"c\", services = [\"database\"] }, \"local\"]\n\
         [environments.empty]\nhosts = []\n[environments.none]\n\
         [environments.local]\nhosts = [\"a\"]\nmanager = \"systemd\"\n"
    )
);

mistake!(
    two_environments_in_one_place,
    with("[environments.live]\nhosts = [\"a\", \"b\"]\n[environments.test]\nhosts = [\"b\"]\n")
);

mistake!(
    two_managers_in_one_folder,
    with(
        "[environments.live]\nhosts = [\"deploy@a\"]\nmanager = \"supervisor\"\n\
         [environments.test]\nhosts = [\"deploy@a\"]\nmanager = \"systemd-user\"\n\
         [environments.third]\nhosts = [\"deploy@a\"]\nname = \"other\"\nroot = \"~/apps/shop/\"\n"
    )
);

mistake!(
    two_environments_on_one_port,
    with(
        "port = 80\n[environments.live]\nhosts = [\"deploy@a\"]\n[environments.test]\nname = \"shop-test\"\n\
         hosts = [\"a\"]\n"
    )
);

mistake!(
    environments_that_cannot_be,
    "[app]\nname = \"shop\"\ndefault-environment = \"lvie\"\n[services.web]\ncommand = \"x\"\n\
     port = 1\nenv = { TOKEN = \"x\" }\n[environments.live]\nhosts = [\"a\"]\nroot = \"/srv\"\n\
     user = \"Shop\"\nenv = { PORT = \"1\", KEY = \"x\" }\nsecrets = [\"KEY\", \"TOKEN\", \"A\", \"A\"]\n\
     rollout = { batch = 2, bake = \"1m\", max-failures = 1 }\n"
);

mistake!(
    toml_that_is_not,
    "[app]\nname = \"shop\nother = 1\n\n[services.web]\ncommand = serve\nport = 99999\n\
     \n[release]\nkeep = \"5\"\n[build\nsteps = []\n"
);

mistake!(
    keys_and_tables_that_are_there_twice,
    with("command = \"again\"\n[release]\nkeep = 1\n[services.web]\nport = 1\n[release]\n")
);

mistake!(
    control_characters_do_not_reach_the_terminal,
    with("\"\\u001b[2Jx\" = 1\nenv = { A = \"a\\u0000b\" }\n")
);

mistake!(runtimes_that_cannot_be, {
    "[app]\nname = \"shop\"\n[services.web]\ncommand = \"x\"\n[runtimes]\nNode = \"20\"\ngo = \"\"\n\
     php = { source = \"host\" }\nruby = { version = \"3\", source = \"host\", mirror = \"https://a\" }\n\
     python = { version = \"3\", mirror = \"ftp://a\" }\n"
});

mistake!(runtimes_that_nobody_understands, {
    "[app]\nname = \"shop\"\n[services.web]\ncommand = \"x\"\n[runtimes]\nnodejs = \"20\"\n\
     erlang = \"26\"\npyhton = \"3\"\nnode = \"twenty\"\nbun = \"lts\"\njava = \">=21 <\"\n\
     python = { version = \"^3.12\" }\ngo = { version = \"1\", mirror = \"file://here\" }\n\
     php = { version = \"latest\", source = \"host\" }\n"
});

#[test]
fn what_is_right_is_met_with_silence() {
    assert_eq!(said(SHOP), "");
    assert_eq!(said(&with("")), "");
}
