//! Code decides by types. What is written for a person may be worded anew at any time, so no code may
//! look into a message, a reason or a state in words.

use std::fs;
use std::path::{Path, PathBuf};

use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, Member, Pat, Token};

/// What texts for a person are called.
const TEXTS: [&str; 9] = [
    "message", "cause", "doing", "why", "verb", "outcome", "reason", "sentence", "state",
];

/// Methods that look into a text.
const LOOKS: [&str; 8] = [
    "contains",
    "starts_with",
    "ends_with",
    "strip_prefix",
    "strip_suffix",
    "find",
    "split_once",
    "eq_ignore_ascii_case",
];

/// Methods that leave a text what it is.
const KEEPS: [&str; 9] = [
    "as_str",
    "as_deref",
    "as_ref",
    "to_string",
    "clone",
    "trim",
    "unwrap_or_default",
    "to_lowercase",
    "to_ascii_lowercase",
];

/// Files whose texts with such a name are not ship's own.
const FOREIGN: [(&str, &str); 3] = [
    (
        "model/failure.rs",
        "takes off the host that it has put in front itself",
    ),
    (
        "project/manifest/syntax.rs",
        "the parser of TOML has no kinds of errors",
    ),
    ("project/detect/node_start.rs", "a verb of a command line"),
];

#[derive(Default)]
struct Decisions(Vec<String>);

/// The name of the text that `expr` is, where it is one of [`TEXTS`].
fn text(expr: &Expr) -> Option<String> {
    let name = match expr {
        Expr::MethodCall(call) if KEEPS.contains(&call.method.to_string().as_str()) => {
            return text(&call.receiver);
        }
        Expr::Reference(inner) => return text(&inner.expr),
        Expr::Paren(inner) => return text(&inner.expr),
        Expr::Unary(inner) => return text(&inner.expr),
        Expr::MethodCall(call) if call.args.is_empty() => call.method.to_string(),
        Expr::Field(field) => match &field.member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(_) => return None,
        },
        Expr::Path(path) => path.path.segments.last()?.ident.to_string(),
        _ => return None,
    };
    TEXTS.contains(&name.as_str()).then_some(name)
}

/// Whether `expr` is a text that stands in the code: a literal, or a constant.
fn is_fixed(expr: &Expr) -> bool {
    match expr {
        Expr::Lit(lit) => matches!(lit.lit, Lit::Str(_)),
        Expr::Path(path) => path.path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            name.len() > 1 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        }),
        Expr::Call(call) => call.args.iter().any(is_fixed),
        Expr::Binary(either) => is_fixed(&either.left) || is_fixed(&either.right),
        Expr::Reference(inner) => is_fixed(&inner.expr),
        Expr::MethodCall(call) => is_fixed(&call.receiver),
        _ => false,
    }
}

fn has_literal(pattern: &Pat) -> bool {
    match pattern {
        Pat::Lit(lit) => matches!(lit.lit, Lit::Str(_)),
        Pat::Or(or) => or.cases.iter().any(has_literal),
        Pat::TupleStruct(inner) => inner.elems.iter().any(has_literal),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Decisions {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        let is_test = module.attrs.iter().any(|attribute| {
            let list = attribute.meta.require_list();
            attribute.path().is_ident("cfg")
                && list.is_ok_and(|list| list.tokens.to_string() == "test")
        });
        if !is_test {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let method = call.method.to_string();
        if LOOKS.contains(&method.as_str())
            && let Some(name) = text(&call.receiver)
        {
            self.0.push(format!("{name}.{method}(…)"));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        let (left, right) = (&binary.left, &binary.right);
        if matches!(binary.op, BinOp::Eq(_) | BinOp::Ne(_))
            && let Some(name) = text(left)
                .filter(|_| is_fixed(right))
                .or_else(|| text(right).filter(|_| is_fixed(left)))
        {
            self.0.push(format!("{name} == …"));
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_match(&mut self, expr: &'ast syn::ExprMatch) {
        if let Some(name) = text(&expr.expr)
            && expr.arms.iter().any(|arm| has_literal(&arm.pat))
        {
            self.0.push(format!("match {name}"));
        }
        visit::visit_expr_match(self, expr);
    }

    fn visit_expr_let(&mut self, expr: &'ast syn::ExprLet) {
        if let Some(name) = text(&expr.expr)
            && has_literal(&expr.pat)
        {
            self.0.push(format!("let … = {name}"));
        }
        visit::visit_expr_let(self, expr);
    }

    fn visit_macro(&mut self, called: &'ast syn::Macro) {
        let arguments = Punctuated::<Expr, Token![,]>::parse_terminated;
        let Ok(arguments) = called.parse_body_with(arguments) else {
            return;
        };
        if called.path.is_ident("matches")
            && let (Some(first), Some(second)) = (arguments.first(), arguments.iter().nth(1))
            && let Some(name) = text(first)
            && is_fixed(second)
        {
            self.0.push(format!("matches!({name}, …)"));
        }
        for argument in &arguments {
            // It lives as long as the walk.
            let mut inner = Self::default();
            inner.visit_expr(argument);
            self.0.append(&mut inner.0);
        }
    }
}

fn decisions(code: &str) -> Vec<String> {
    let file = syn::parse_file(code).expect("Rust code");
    let mut found = Decisions::default();
    found.visit_file(&file);
    found.0
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable").flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && name != "tests" {
            files(&path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

#[test]
fn no_code_decides_by_what_is_written_for_a_person() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut all = Vec::new();
    files(&src, &mut all);
    assert!(all.len() > 200, "{} files", all.len());
    let mut found = Vec::new();
    for path in all {
        let name = path
            .strip_prefix(&src)
            .expect("below src")
            .display()
            .to_string();
        let seen = decisions(&fs::read_to_string(&path).expect("a source"));
        match FOREIGN.iter().any(|(foreign, _)| *foreign == name) {
            true => assert!(!seen.is_empty(), "{name} need not be in the list"),
            false => found.extend(seen.into_iter().map(|what| format!("{name}: {what}"))),
        }
    }
    assert_eq!(found, [""; 0], "decide by a type instead");
}

/// Each form is seen, and what only looks like one is not.
#[test]
fn planted_decisions_are_found() {
    let within = |line: &str| decisions(&format!("fn f() {{ {line} }}"));
    for planted in [
        "if failure.message().contains(\"host key\") { g() }",
        "if failure.message.contains(\"host key\") { g() }",
        "if failure.cause.to_string().ends_with(\"lost\") { g() }",
        "let cut = why.strip_suffix(\"cancelled\");",
        "if holder.doing.as_deref() == Some(TIDYING) { g() }",
        "if entry.outcome != \"good\" { g() }",
        "match entry.outcome.as_str() { \"good\" | \"adopted\" => 1, _ => 2 };",
        "let good = matches!(entry.outcome.as_str(), \"good\" | \"adopted\");",
        "if let Some(\"deploy\") = verb.as_deref() { g() }",
        "g(format!(\"{}\", reason.starts_with(\"no\")));",
        "items.iter().any(|item| item.message.to_lowercase().ends_with(\"lost\"));",
    ] {
        assert_eq!(within(planted).len(), 1, "{planted}");
    }
    for fine in [
        "if entry.outcome == OperationOutcome::Good { g() }",
        "if names.contains(&why) { g() }",
        "match state { State::Good => 1, _ => 2 };",
        "let said = format!(\"{message}: {why}\");",
        "if self.why == other.why { g() }",
    ] {
        assert_eq!(within(fine), [""; 0], "{fine}");
    }
}
