<!doctype html>
<title>About</title>
<p>About the guests</p>
