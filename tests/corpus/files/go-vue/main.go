package main

import (
	"io/fs"
	"log"
	"net/http"
	"os"

	"example.com/shop/web"
)

func main() {
	dist, err := fs.Sub(web.Files, "dist")
	if err != nil {
		log.Fatal(err)
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	http.Handle("/", http.FileServer(http.FS(dist)))
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
