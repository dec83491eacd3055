"""The doctors whom a patient may name: the public register (Annuaire Santé), loaded by an operator."""
