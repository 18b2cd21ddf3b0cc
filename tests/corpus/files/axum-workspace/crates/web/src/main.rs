use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::Router;

async fn index() -> Html<String> {
    let page = std::fs::read_to_string("templates/index.html").unwrap_or_default();
    Html(page.replace("{guests}", &guests::names().join(", ")))
}

async fn style() -> impl IntoResponse {
    let text = std::fs::read_to_string("static/style.css").unwrap_or_default();
    ([(CONTENT_TYPE, "text/css")], text)
}

async fn guest(Path(name): Path<String>) -> String {
    format!("Hello {name}")
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let app = Router::new()
        .route("/", get(index))
        .route("/healthz", get(|| async { "ok" }))
        .route("/static/style.css", get(style))
        .route("/guests/{name}", get(guest));
    let listener = tokio::net::TcpListener::bind(format!("0.0.0.0:{port}"))
        .await
        .expect("the port");
    axum::serve(listener, app).await.expect("serve");
}
