package main

import (
	"html/template"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
)

var page = template.Must(template.ParseGlob("templates/*.html"))

func guests() []string {
	text, err := os.ReadFile(filepath.Join("uploads", "guests.txt"))
	if err != nil {
		return nil
	}
	return strings.Fields(string(text))
}

func add(name string) error {
	file, err := os.OpenFile(filepath.Join("uploads", "guests.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = file.WriteString(name + "\n")
	return err
}

func main() {
	http.Handle("/static/", http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	http.HandleFunc("/healthz", func(w http.ResponseWriter, r *http.Request) {
		w.Write([]byte("ok"))
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if err := add(r.FormValue("name")); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		page.ExecuteTemplate(w, "index.html", guests())
	})
	port := os.Getenv("PORT")
	if port == "" {
		port = "8085"
	}
	log.Fatal(http.ListenAndServe(":"+port, nil))
}
