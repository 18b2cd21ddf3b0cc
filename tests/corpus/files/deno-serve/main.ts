import { Hono } from "hono";

const app = new Hono();

app.get("/", (c) => c.text("Hello Deno"));
app.get("/posts/:id", (c) => c.text(`Post ${c.req.param("id")}`));

Deno.serve(app.fetch);
