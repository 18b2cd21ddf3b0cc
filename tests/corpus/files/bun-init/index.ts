Bun.serve({
  port: process.env.PORT ?? 3000,
  fetch(request) {
    const { pathname } = new URL(request.url);
    return new Response(`Hello from Bun at ${pathname}`);
  },
});
