package main

import (
	"embed"
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/shop/internal/greet"
)

//go:embed static
var static embed.FS

func main() {
	http.Handle("/static/", http.FileServer(http.FS(static)))
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "<link rel=\"stylesheet\" href=\"/static/style.css\"><h1>%s</h1><p>%s</p>", greet.Text(), r.URL.Path)
	})
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), nil))
}
