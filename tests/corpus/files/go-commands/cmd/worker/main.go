package main

import (
	"log"
	"time"

	"example.com/shop/internal/greet"
)

func main() {
	for {
		log.Print(greet.Text())
		time.Sleep(time.Minute)
	}
}
