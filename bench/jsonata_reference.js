// Answers expressions, one JSON text a line, with JSONata's own implementation: node jsonata_reference.js DIR/node_modules/jsonata
const jsonata = require(process.argv[2]);
const isFunction = (value) =>
  typeof value === "function" || (value && (value._jsonata_lambda || value._jsonata_function));

// What JSON cannot say is said beside it.
function look(value, found) {
  if (isFunction(value)) found.function = true;
  else if (typeof value === "number" && !Number.isFinite(value)) found.nonfinite = true;
  else if (value && typeof value === "object") Object.values(value).forEach((member) => look(member, found));
  return found;
}

async function answer(source) {
  try {
    const value = await jsonata(source).evaluate(undefined);
    if (value === undefined) return { undefined: true };
    const found = look(value, {});
    return found.function || found.nonfinite ? found : { value };
  } catch (error) {
    return { error: error.code || "" };
  }
}

async function main() {
  const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
  for (const line of lines) {
    let told;
    try {
      told = JSON.stringify(await answer(JSON.parse(line)));
    } catch (error) {
      told = '{"error":""}';
    }
    process.stdout.write(told + "\n");
  }
}
main();
