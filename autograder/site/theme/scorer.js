// A reader who looks for softmax wants the unit before the module.
var Scorer = {
  score: ([docname, , , , score]) => (docname.startsWith("units/") ? score + 20 : score),
  objNameMatch: 4,
  objPartialMatch: 2,
  objPrio: { 0: 5, 1: 0, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
