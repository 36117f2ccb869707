package dev.seekr.config;

/** What predictions are judged by, as settings and reports name it. */
public enum MetricName {
  accuracy_char,
  accuracy_word,
  exact,
  equal,
  equal_char,
  rouge_l,
  similarity,
  sari,
  bleu
}
