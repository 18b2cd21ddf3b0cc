const ms = require("ms"); export const rows = (): string[] => ["one", String(ms(60000))];
