//! The tables, and what publishers serve.

use proptest::prelude::*;

use super::*;

fn read(source: &Source, list: &str) -> Vec<Offer> {
    (source.offers)(list, list).unwrap()
}

const NODE_INDEX: &str = r#"[
{"version":"v22.14.0","date":"2025-02-11","files":["aix-ppc64","headers","linux-arm64","linux-x64","osx-arm64-tar","osx-x64-pkg","osx-x64-tar","src","win-x64-zip"],"npm":"10.9.2","lts":"Jod","security":false},
{"version":"v21.0.0","date":"2023-10-17","files":["linux-x64"],"lts":false,"security":false},
{"version":"v0.8.0","date":"2012-06-22","files":["src"],"lts":false,"security":false}
]"#;

const GO_INDEX: &str = r#"[{"version":"go1.22.1","stable":true,"files":[
{"filename":"go1.22.1.src.tar.gz","os":"","arch":"","version":"go1.22.1","sha256":"79c9b91d7f109515a25fc3ecdaad125d67e6bdb54f6d4d98580f46799caea321","size":27549374,"kind":"source"},
{"filename":"go1.22.1.linux-amd64.tar.gz","os":"linux","arch":"amd64","version":"go1.22.1","sha256":"aab8e15785c997ae20f9c88422ee35d962c4562212bb0f879d052a35c8307c7f","size":68965341,"kind":"archive"}]},
{"version":"go1.4","stable":true,"files":[{"filename":"go1.4.linux-amd64.tar.gz","os":"linux","arch":"amd64","version":"go1.4","sha256":"","size":0,"kind":"archive"}]}]"#;

const JAVA_INDEX: &str = r#"{"available_lts_releases":[8,11,17,21],"available_releases":[8,11,17,21,22],"most_recent_lts":21}"#;

const JAVA_LIST: &str = r#"[{"binaries":[
{"architecture":"x64","image_type":"jdk","os":"linux","package":{"checksum":"454bebb2c9fe48d981341461ffb6bf1017c7b7c6e15c6b0c29b959194ba3aaa5","link":"https://github.com/adoptium/temurin21-binaries/releases/download/jdk-21.0.2%2B13/OpenJDK21U-jdk_x64_linux_hotspot_21.0.2_13.tar.gz","name":"OpenJDK21U-jdk_x64_linux_hotspot_21.0.2_13.tar.gz","size":207030609}},
{"architecture":"x64","image_type":"jdk","os":"windows","package":{"checksum":"x","link":"https://github.com/adoptium/x.zip","name":"x.zip","size":1}}],
"release_name":"jdk-21.0.2+13","version_data":{"build":13,"major":21,"minor":0,"openjdk_version":"21.0.2+13-LTS","security":2,"semver":"21.0.2+13.0.LTS"}}]"#;

const PYTHON_INDEX: &str = r#"{
"cpython-3.12.2-linux-x86_64-gnu":{"name":"cpython","arch":{"family":"x86_64","variant":null},"os":"linux","libc":"gnu","major":3,"minor":12,"patch":2,"prerelease":"","url":"https://github.com/astral-sh/python-build-standalone/releases/download/20240224/cpython-3.12.2%2B20240224-x86_64-unknown-linux-gnu-install_only.tar.gz","sha256":"57a37b57f8243caa4cdac016176189573ad7620f0b6da5941c5e40660f9468ab","variant":null,"build":"20240224"},
"cpython-3.12.2-linux-x86_64_v3-gnu":{"url":"https://github.com/astral-sh/python-build-standalone/releases/download/20240224/cpython-3.12.2%2B20240224-x86_64_v3-unknown-linux-gnu-install_only.tar.gz"},
"cpython-3.13.0rc2-darwin-aarch64-none":{"url":"https://github.com/indygreg/python-build-standalone/releases/download/20240909/cpython-3.13.0rc2%2B20240909-aarch64-apple-darwin-install_only_stripped.tar.gz"},
"cpython-3.13.0+freethreaded-linux-x86_64-gnu":{"url":"https://github.com/astral-sh/python-build-standalone/releases/download/20241016/cpython-3.13.0%2B20241016-x86_64-unknown-linux-gnu-freethreaded%2Bpgo%2Blto-full.tar.zst"},
"pypy-3.10.14-linux-x86_64-gnu":{"url":"https://downloads.python.org/pypy/pypy3.10-v7.3.17-linux64.tar.bz2"}}"#;

const DENO_INDEX: &str = r#"{"cli":["v2.1.4","v1.40.0"],"std":["0.224.0"]}"#;
const COMPOSER_INDEX: &str = r#"{"stable":[{"path":"/download/2.8.4/composer.phar","version":"2.8.4","min-php":70205}],"preview":[{"path":"/download/2.9.0-RC1/composer.phar","version":"2.9.0-RC1","min-php":70205}],"snapshot":[{"path":"/composer.phar","version":"a84b8ba2b3b1e0f6e9","min-php":70205}]}"#;
const BUN_INDEX: &str = r#"[{"ref":"refs/tags/bun-v1.1.38","node_id":"x"},{"ref":"refs/tags/bun-v1-canary-2","node_id":"y"}]"#;

const PNPM_INDEX: &str = r#"{"name":"pnpm","versions":{
"9.15.0":{"dist":{"integrity":"sha512-duI3l2CkMo7EQVgVvNZije5yevN3mqpMkU45RBVsQpmSGon5djge4QfUHxLPpLZmgcqccY8GaPoIMe1MbYulbA==","shasum":"8bfdb6d72b4d5fdf87d21d27f2bfbe2b21dd2629"}},
"12.0.0":{"dist":{"integrity":"sha512-Zv2CeO4ok1zpUXktNDZ/869cQyonVkRYIwKVM4NbjaUpu+C+UTCv1W7QcT+4eJ5Hutgtk71a4v5UsVVi1idu8A=="}},
"0.1.0":{"dist":{"shasum":"8bfdb6d72b4d5fdf87d21d27f2bfbe2b21dd2629"}}}}"#;

const NPM_INDEX: &str = r#"{"name":"npm","versions":{"10.9.2":{"dist":{"integrity":"sha512-iriPEPIkoMYUy3F6f3wwSZAU93E0Eg6cHwIR6jzzOXWSy+SD/rOODEs74cVONHKSx2obXtuUoyidVEhISrisgQ=="}}}}"#;

const YARN_INDEX: &str = r#"{"name":"yarn","versions":{"1.22.22":{"dist":{"integrity":"sha512-prL3kGtyG7o9Z9Sv8IPfBNrWTDmXB4Qbes8A9rEzt6wkJV8mUvoirjU0Mp3GGAU06Y0XQyA3/2/RQFVuK7MTfg=="}},"2.4.3":{"dist":{"integrity":"sha512-x"}}}}"#;

const MODERN_YARN_INDEX: &str =
    r#"{"name":"@yarnpkg/cli-dist","versions":{"4.5.3":{"dist":{"integrity":"sha512-x"}}}}"#;

/// What the index of Python packages tells of uv.
fn uv_index() -> String {
    let file = |name: &str, more: &str| {
        let at = registry::pypi_file!("ab/cd/");
        format!(
            r#"{{"filename":"{name}","url":"{at}{name}","size":19000000,{more}
            "hashes":{{"sha256":"57a37b57f8243caa4cdac016176189573ad7620f0b6da5941c5e40660f9468ab"}}}}"#
        )
    };
    let files = [
        file("uv-0.9.9.tar.gz", ""),
        file(
            "uv-0.9.9-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "",
        ),
        file(
            "uv-0.9.9-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
            r#""yanked":false,"#,
        ),
        file("uv-0.9.9-py3-none-musllinux_1_1_x86_64.whl", ""),
        file("uv-0.9.9-py3-none-macosx_11_0_arm64.whl", ""),
        file(
            "uv-0.9.8-py3-none-macosx_11_0_arm64.whl",
            r#""yanked":"a mistake","#,
        ),
        file("uv-0.9.9-py3-none-win_amd64.whl", ""),
    ];
    format!(r#"{{"name":"uv","files":[{}]}}"#, files.join(","))
}

/// What the index tells of a package that is the same everywhere.
fn tool_index(name: &str, version: &str) -> String {
    let at = registry::pypi_file!("ab/cd/");
    format!(
        r#"{{"name":"{name}","files":[{{"filename":"{name}-{version}-py3-none-any.whl","url":"{at}{name}.whl","size":1,
        "hashes":{{"sha256":"57a37b57f8243caa4cdac016176189573ad7620f0b6da5941c5e40660f9468ab"}}}}]}}"#
    )
}

#[test]
fn what_publishers_list_is_understood() {
    let mut text = String::new();
    for (source, list) in [
        (&node::NODE, NODE_INDEX),
        (&go::GO, GO_INDEX),
        (&python::PYTHON, PYTHON_INDEX),
        (&deno::DENO, DENO_INDEX),
        (&bun::BUN, BUN_INDEX),
        (&composer::COMPOSER, COMPOSER_INDEX),
        (&managers::NPM, NPM_INDEX),
        (&managers::PNPM, PNPM_INDEX),
        (&managers::YARN, YARN_INDEX),
        (&managers::YARN, MODERN_YARN_INDEX),
        (&uv::UV, &uv_index()),
    ] {
        text.push_str(&shown(source, &read(source, list)));
    }
    let wanted = Request::parse(Grammar::Java, "lts").unwrap();
    for address in java::JAVA.lists.unwrap()(JAVA_INDEX, &wanted).unwrap() {
        text.push_str(&format!("{address}\n"));
    }
    let offers = (java::JAVA.offers)(JAVA_INDEX, JAVA_LIST).unwrap();
    text.push_str(&shown(&java::JAVA, &offers));
    insta::assert_snapshot!(in_words(&text));
}

/// The text with what a registry is called instead of its address.
fn in_words(text: &str) -> String {
    text.replace(registry::npm!(""), "NPM/")
        .replace(registry::pypi!(""), "PYPI/")
        .replace(registry::pypi_file!(""), "PYPI-FILES/")
}

fn shown(source: &Source, offers: &[Offer]) -> String {
    let mut text = String::new();
    for offer in offers {
        text.push_str(&format!(
            "{} {} {:?}\n",
            source.name, offer.version, offer.lts
        ));
        for build in &offer.builds {
            assert!(
                source.is_address_of(&build.url, &offer.version, build.platform),
                "{}",
                build.url
            );
            let mirrored = source.address(&build.url, Some("file:///m/"));
            assert!(mirrored.starts_with("file:///m/"), "{mirrored}");
            text.push_str(&format!("  {} {}\n", build.platform, build.url));
            text.push_str(&format!("    mirrored {mirrored}\n"));
            match &build.proof {
                Proof::Here(sum, size) => text.push_str(&format!("    {sum} {size}\n")),
                Proof::List(list) => {
                    let list = source.address(list, Some("file:///m"));
                    text.push_str(&format!("    sums {list}\n"));
                }
                Proof::Integrity(integrity) => text.push_str(&format!("    {integrity}\n")),
                Proof::Document(document) => {
                    let document = source.address(document, Some("file:///m"));
                    text.push_str(&format!("    integrity in {document}\n"));
                }
            }
        }
    }
    text
}

/// `docs/runtimes.md` says what the tables say; `UPDATE_DOCS=1` writes it.
#[test]
fn the_reference_is_the_table() {
    let mut page = include_str!("reference.md").to_owned();
    for (source, index, list) in [
        (&bun::BUN, "", BUN_INDEX),
        (&composer::COMPOSER, "", COMPOSER_INDEX),
        (&deno::DENO, "", DENO_INDEX),
        (&go::GO, "", GO_INDEX),
        (&java::JAVA, JAVA_INDEX, JAVA_LIST),
        (&node::NODE, "", NODE_INDEX),
        (&managers::NPM, "", NPM_INDEX),
        (&tools::PDM, &uv_index(), &tool_index("pdm", "2.22.1")),
        (
            &tools::PIPENV,
            &uv_index(),
            &tool_index("pipenv", "2024.4.1"),
        ),
        (&managers::PNPM, "", PNPM_INDEX),
        (&tools::POETRY, &uv_index(), &tool_index("poetry", "2.1.1")),
        (&python::PYTHON, "", PYTHON_INDEX),
        (&uv::UV, "", &uv_index()),
        (&managers::YARN, "", MODERN_YARN_INDEX),
    ] {
        let offers = (source.offers)(index, list).unwrap();
        let linux = |build: &&Build| build.platform == Platform::X86_64Linux;
        let (version, build) = offers
            .iter()
            .find_map(|offer| Some((&offer.version, offer.builds.iter().find(linux)?)))
            .unwrap();
        page.push_str(&section(source, version, build));
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/runtimes.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(found, page, "UPDATE_DOCS=1 cargo test writes it anew");
}

/// Where versions are listed: an address, or the registry that everybody knows.
fn publisher(index: &str) -> String {
    if let Some(package) = index.strip_prefix(registry::npm!("")) {
        return format!("npm's registry, package `{package}`");
    }
    match index.strip_prefix(registry::pypi!("")) {
        Some(package) => format!(
            "the Python package index, package `{}`",
            package.trim_end_matches('/')
        ),
        None => index.to_owned(),
    }
}

fn section(source: &Source, version: &Version, build: &Build) -> String {
    let at = |url: &str| source.address(url, Some("MIRROR"));
    let mut places = vec![at(source.index)];
    if let Some(lists) = source.lists {
        let wanted = match source.grammar() {
            Grammar::Java => "21",
            _ => "4.5.3",
        };
        let wanted = Request::parse(source.grammar(), wanted).unwrap();
        places.pop();
        if source.grammar() == Grammar::Java {
            places.push(at(source.index));
        }
        places.extend(
            lists(JAVA_INDEX, &wanted)
                .unwrap()
                .iter()
                .map(|url| at(url)),
        );
    }
    if let Proof::List(list) = &build.proof {
        places.push(at(list));
    }
    places.push(at(&build.url));
    let places: String = places
        .iter()
        .map(|place| format!("    {place}\n"))
        .collect();
    let layout = (source.layout)(version, Platform::X86_64Linux);
    let mut needs: Vec<String> = layout
        .needs
        .glibc
        .iter()
        .map(|(major, minor)| format!("glibc {major}.{minor}"))
        .collect();
    let libraries = layout.needs.libraries.iter();
    needs.extend(libraries.map(|(library, package)| format!("{library} (Debian: {package})")));
    if needs.is_empty() {
        needs.push("nothing".to_owned());
    }
    format!(
        "\n## {}: `{}`\n\nAsked for as {}.\n\nVersions from {}. {version} needs from a Linux host: {}.\n\n\
         At a mirror (`{}`):\n\n{places}",
        source.title,
        source.name,
        source.grammar().examples(),
        publisher(source.index),
        needs.join(", "),
        source.mirror_variable(),
    )
}

#[test]
fn the_table_and_the_grammars_name_the_same_runtimes() {
    let names: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    assert_eq!(names, Grammar::known().collect::<Vec<_>>());
    for source in SOURCES {
        assert_ne!(source.grammar(), Grammar::Other);
        assert_eq!(source.address(source.index, None), source.index);
        assert!(
            source
                .address(source.index, Some("http://m/x"))
                .starts_with("http://m/x/")
        );
        let elsewhere = "https://example.com/x.tar.gz";
        assert_eq!(source.address(elsewhere, Some("http://m")), elsewhere);
    }
}

#[test]
fn lists_have_plain_names_at_a_mirror() {
    let at = |source: &Source, url: &str| source.address(url, Some("http://m"));
    assert_eq!(at(&go::GO, go::GO.index), "http://m/index.json");
    assert_eq!(at(&bun::BUN, bun::BUN.index), "http://m/tags.json");
    assert_eq!(at(&deno::DENO, deno::DENO.index), "http://m/versions.json");
    assert_eq!(
        at(&python::PYTHON, python::PYTHON.index),
        "http://m/download-metadata.json"
    );
    assert_eq!(
        at(
            &java::JAVA,
            "https://api.adoptium.net/v3/assets/feature_releases/21/ga?page=0"
        ),
        "http://m/assets/feature_releases/21/ga"
    );
}

#[test]
fn java_archives_are_recognised_by_their_names() {
    let platform = Platform::X86_64Linux;
    for (version, name) in [
        (
            "8.0.402+6",
            "OpenJDK8U-jdk_x64_linux_hotspot_8u402b06.tar.gz",
        ),
        (
            "17.0.8.1+1",
            "OpenJDK17U-jdk_x64_linux_hotspot_17.0.8.1_1.tar.gz",
        ),
        ("22.0.0+36", "OpenJDK22U-jdk_x64_linux_hotspot_22_36.tar.gz"),
    ] {
        let url = format!("https://github.com/adoptium/x/{name}");
        let version = Version::parse(version).unwrap();
        assert!(java::JAVA.is_address_of(&url, &version, platform), "{url}");
        assert!(!java::JAVA.is_address_of(&url, &version, Platform::Aarch64Linux));
    }
}

#[test]
fn lists_of_checksums_come_in_the_forms_of_sha256sum() {
    let sum = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let upper = sum.to_ascii_uppercase();
    for list in [
        format!("{sum}  a.tar.gz\n"),
        format!("{sum} *a.tar.gz\r\n"),
        format!("{upper}\ta.tar.gz"),
        format!("0000  xa.tar.gz\n\nrubbish\n{sum}  ./out/a.tar.gz\n"),
    ] {
        assert_eq!(
            checksum(&list, "a.tar.gz").unwrap().to_string(),
            sum,
            "{list}"
        );
    }
    for list in [
        "",
        "a.tar.gz",
        "12  a.tar.gz",
        &format!("{sum}  a.tar.gz.asc"),
    ] {
        assert_eq!(checksum(list, "a.tar.gz"), None, "{list}");
    }
    assert_eq!(
        file_name("https://x/a%2Bb-%zz.tar.gz?x=1"),
        "a+b-%zz.tar.gz"
    );
}

proptest! {
    #[test]
    fn no_document_breaks_a_reader(text in ".{0,200}", cut in 0usize..3000) {
        let wanted = Request::parse(Grammar::Java, "21").unwrap();
        let lists = [NODE_INDEX, GO_INDEX, JAVA_INDEX, JAVA_LIST, PYTHON_INDEX, DENO_INDEX, BUN_INDEX];
        for source in SOURCES {
            for list in lists {
                let mut list = list.to_owned();
                list.truncate(cut.min(list.len()));
                let _ = (source.offers)(&list, &list);
                let _ = (source.offers)(JAVA_INDEX, &list);
            }
            let _ = (source.offers)(&text, &text);
            if let Some(lists) = source.lists {
                let _ = lists(&text, &wanted);
            }
        }
        let _ = checksum(&text, &text);
        let _ = file_name(&text);
    }
}
