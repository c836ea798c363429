-- What a worker serves, as a JSON object: queues with their weights (null: all), handlers at once, names of handlers.
ALTER TABLE workers ADD COLUMN serves TEXT;
