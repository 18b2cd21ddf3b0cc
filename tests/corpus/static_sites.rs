//! Static sites.

use crate::ask::Ask;
use crate::project::Project;

pub const PROJECTS: &[Project] = &[
    // By hand: a folder of pages, as people keep them.
    Project {
        name: "plain-folder",
        ecosystem: "static",
        files: "plain-folder",
        asks: &[
            Ask::Page("/", "A plain page"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/about.html", "About"),
            Ask::Status("/nothing", 404),
        ],
        fixed: true,
        ..Project::PLAIN
    },
    // The generator's, with the routes of react-router's own guide.
    Project {
        name: "vite-react-router",
        ecosystem: "static",
        make: "npx --yes create-vite@6.5.0 . --template react-ts
            npm pkg set dependencies.react-router=7.6.0
            cat > src/App.tsx <<'END'
import { BrowserRouter, Link, Route, Routes } from 'react-router'
import './App.css'

export default function App() {
  return (
    <BrowserRouter>
      <Link to=\"/users/7\">User</Link>
      <Routes>
        <Route path=\"/\" element={<p>Home</p>} />
        <Route path=\"/users/:id\" element={<p>User</p>} />
      </Routes>
    </BrowserRouter>
  )
}
END
            npm install --package-lock-only",
        needs: &["npm"],
        asks: &[
            Ask::Page("/", "<div id=\"root\">"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/users/7", "<div id=\"root\">"),
            Ask::Status("/assets/gone.js", 404),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "vue-router",
        ecosystem: "static",
        make: "npx --yes create-vue@3.16.4 app --router --bare && mv app/* app/.[!.]* . && rmdir app
            npm install --package-lock-only",
        needs: &["npm"],
        asks: &[
            Ask::Page("/", "<div id=\"app\">"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/users/7", "<div id=\"app\">"),
            Ask::Status("/assets/gone.js", 404),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "vite-svelte",
        ecosystem: "static",
        make: "npx --yes create-vite@6.5.0 . --template svelte && npm install --package-lock-only",
        needs: &["npm"],
        asks: &[
            Ask::Page("/", "<div id=\"app\">"),
            Ask::Asset("/", ".css"),
            Ask::Status("/users/7", 404),
        ],
        ..Project::PLAIN
    },
    // By hand: Eleventy has no generator; its guide begins with these two files.
    Project {
        name: "eleventy",
        ecosystem: "static",
        make: "npm init -y > /dev/null && npm pkg set type=module
            npm install --package-lock-only --save-dev @11ty/eleventy@3.1.2
            printf '%s\\n' '---' 'title: Hello' '---' '# Hello from Eleventy' > index.md
            mkdir blog && echo '# First' > blog/first.md
            printf 'node_modules\\n_site\\n' > .gitignore",
        needs: &["npm"],
        asks: &[
            Ask::Page("/", "Hello from Eleventy"),
            Ask::Deep("/blog/first/", "First"),
            Ask::Status("/nothing", 404),
        ],
        ..Project::PLAIN
    },
    Project {
        name: "mkdocs",
        ecosystem: "static",
        make: "python3 -m pip install --quiet --target \"$HOME/p\" mkdocs==1.6.1
            PYTHONPATH=\"$HOME/p\" python3 -m mkdocs new .
            echo mkdocs==1.6.1 > requirements.txt && echo '# About' > docs/about.md",
        needs: &["python3"],
        asks: &[
            Ask::Page("/", "Welcome to MkDocs"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/about/", "About"),
            Ask::Status("/nothing", 404),
        ],
        ..Project::PLAIN
    },
    // The generator's, with layouts by hand: themes come from elsewhere.
    Project {
        name: "hugo",
        ecosystem: "static",
        make: "hugo new site . --force > /dev/null
            mkdir -p layouts/_default static content/posts
            echo '<link rel=\"stylesheet\" href=\"/site.css\"><h1>{{ .Site.Title }}</h1>' > layouts/index.html
            cp layouts/index.html layouts/_default/list.html
            echo '<h1>{{ .Title }}</h1>{{ .Content }}' > layouts/_default/single.html
            echo 'h1 { color: navy }' > static/site.css
            printf '%s\\n' '---' 'title: First' 'date: 2024-01-01' '---' 'A post.' > content/posts/first.md",
        needs: &["hugo"],
        asks: &[
            Ask::Page("/", "My New Hugo Site"),
            Ask::Asset("/", ".css"),
            Ask::Deep("/posts/first/", "A post."),
            Ask::Status("/nothing", 404),
        ],
        ..Project::PLAIN
    },
    // By hand: VitePress asks its questions at a terminal; this is what its guide leaves.
    Project {
        name: "vitepress",
        ecosystem: "static",
        make: "npm init -y > /dev/null && npm pkg delete main
            npm pkg set 'scripts.docs:dev=vitepress dev docs' 'scripts.docs:build=vitepress build docs'
            npm install --package-lock-only --save-dev vitepress@1.6.3
            mkdir -p docs/.vitepress && echo 'export default { title: \"Docs\" }' > docs/.vitepress/config.mjs
            echo '# Hello from VitePress' > docs/index.md && echo '# Guide' > docs/guide.md
            printf 'node_modules\ndocs/.vitepress/dist\ndocs/.vitepress/cache\n' > .gitignore",
        needs: &["npm"],
        asks: &[
            Ask::Page("/", "Hello from VitePress"),
            Ask::Asset("/", ".js"),
            Ask::Deep("/guide", "Guide"),
            Ask::Status("/nothing", 404),
        ],
        ..Project::PLAIN
    },
];
