package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"example.com/greet"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, greet.Text(), r.URL.Path)
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8086"
	}
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
