// better-auth with numbers and codes, as its documentation sets it up. `prepare FOLDER USERS` makes the tables and users whose numbers
// are known; `serve FOLDER PORT SINK [wal]` serves. SQLite through node:sqlite, with its defaults, or with a write-ahead log; either
// way each commit is synced (synchronous = FULL is SQLite's default), as the service's are.

import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import { phoneNumber } from "better-auth/plugins";
import http from "node:http";
import { DatabaseSync } from "node:sqlite";

const [, , what, folder, ...rest] = process.argv;

// As bench-load counts them.
const number = (user) => `+1202${2_000_000 + ((user * 7919) % 7_900_000)}`;

function options(sink, wal) {
    const database = new DatabaseSync(`${folder}/better-auth.sqlite`);
    if (wal) database.exec("PRAGMA journal_mode = WAL");
    return {
        baseURL: "http://127.0.0.1",
        secret: "for a benchmark on this machine only",
        database,
        telemetry: { enabled: false },
        rateLimit: { enabled: false },
        plugins: [
            phoneNumber({
                // Awaited, as the service awaits its own.
                sendOTP: async ({ phoneNumber, code }) => {
                    const body = JSON.stringify({ to: phoneNumber, body: `Your code is ${code}` });
                    const answer = await fetch(sink, { method: "POST", body });
                    await answer.arrayBuffer();
                    if (!answer.ok) throw new Error(`the sink answered ${answer.status}`);
                },
            }),
        ],
    };
}

if (what === "prepare") {
    const made = options("", false);
    const { runMigrations } = await getMigrations(made);
    await runMigrations();
    const insert = made.database.prepare(
        `INSERT INTO user (id, name, email, emailVerified, createdAt, updatedAt, phoneNumber, phoneNumberVerified)
         VALUES (?, ?, ?, 1, ?, ?, ?, 1)`,
    );
    made.database.exec("BEGIN");
    const now = new Date().toISOString();
    for (let user = 0; user < Number(rest[0]); user += 1) {
        insert.run(`user${user}`, `User ${user}`, `user${user}@example.com`, now, now, number(user));
    }
    made.database.exec("COMMIT");
    made.database.close();
} else {
    const [port, sink, journal] = rest;
    const made = options(sink, journal === "wal");
    const server = http.createServer(toNodeHandler(betterAuth(made)));
    server.listen(Number(port), "127.0.0.1");
    process.on("SIGTERM", () => {
        made.database.close();
        process.exit(0);
    });
}
