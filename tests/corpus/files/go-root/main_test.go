package main

import "testing"

func TestNobodyIsThereYet(t *testing.T) {
	if len(guests()) != 0 {
		t.Fatal("somebody is there")
	}
}
