package greet

func Text() string { return "The shop is open" }
