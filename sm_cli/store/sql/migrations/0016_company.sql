-- What else the workers had that were lost over a job (`records.Company`).
ALTER TABLE jobs ADD COLUMN company INTEGER NOT NULL DEFAULT 0;
