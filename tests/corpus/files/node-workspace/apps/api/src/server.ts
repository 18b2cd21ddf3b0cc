import express from "express";
import { rows } from "@acme/db";
const app = express();
app.get("/healthz", (_req, res) => { res.send("ok"); });
app.get("/", (_req, res) => { res.json(rows()); });
app.listen(Number(process.env.PORT || 3000));
