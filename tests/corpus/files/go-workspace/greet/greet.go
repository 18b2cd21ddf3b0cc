package greet

func Text() string { return "From another module" }
