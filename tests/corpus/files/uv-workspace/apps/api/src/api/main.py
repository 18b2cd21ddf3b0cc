from core import hello
from fastapi import FastAPI

app = FastAPI()


@app.get("/")
def index():
    return {"message": hello()}


@app.get("/healthz")
def healthz():
    return {"ok": True}
