"use strict";
globalThis.blitzWords = {};
