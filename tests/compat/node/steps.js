'use strict';
// The one story every client tells: put, get, make siblings, resolve them, delete.
// Prints `step ok` or `step FAIL why`; later steps need the earlier.

module.exports.run = async function run(steps) {
  for (const [name, step] of steps) {
    try {
      await step();
    } catch (error) {
      console.log(`${name} FAIL ${String(error).replace(/\n/g, ' ')}`);
      process.exit(1);
    }
    console.log(`${name} ok`);
  }
  process.exit(0);
};

module.exports.expect = function expect(condition, what) {
  if (!condition) throw new Error(what);
};
