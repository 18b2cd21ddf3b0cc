import sqlite3

from flask import Flask, g, redirect, render_template, request

DATABASE = "instance/guests.db"

app = Flask(__name__)


def database():
    if "database" not in g:
        g.database = sqlite3.connect(DATABASE)
        g.database.execute("CREATE TABLE IF NOT EXISTS guests (name TEXT)")
    return g.database


@app.teardown_appcontext
def close(_):
    database = g.pop("database", None)
    if database is not None:
        database.close()


@app.route("/", methods=["GET", "POST"])
def index():
    if request.method == "POST":
        with database() as connection:
            connection.execute("INSERT INTO guests VALUES (?)", [request.form["name"]])
        return redirect("/")
    names = [name for (name,) in database().execute("SELECT name FROM guests")]
    return render_template("index.html", names=names)


@app.route("/about")
def about():
    return "About the guests"
