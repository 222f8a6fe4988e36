import fc from 'fast-check';

/** Property tests draw the same values in every run, so that a change is judged and not luck; another seed is one variable away. */
fc.configureGlobal({ seed: Number(process.env['SOTTO_SEED'] ?? 1) });
