package dev.seekr.model;

import dev.seekr.disk.ConfigFields;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * Ids that a model's files give a meaning, each a row of its embedding.
 *
 * @param bos begin-of-sequence id, or -1
 * @param eos end-of-sequence ids
 */
record TokenIds(int bos, List<Integer> eos) {

  /** Throws Failure (65) for an id beyond the vocabulary of V. */
  static TokenIds parse(ConfigFields fields, int V) {
    int bos = fields.has("bos_token_id") ? fields.whole("bos_token_id", 0, V - 1) : -1;
    // Older exports write -1 for none; nothing is padded here.
    if (fields.has("pad_token_id")) fields.whole("pad_token_id", -1, V - 1);
    if (!fields.has("eos_token_id")) return new TokenIds(bos, List.of());
    int[] eos = fields.wholes("eos_token_id", 0, V - 1);
    return new TokenIds(bos, Arrays.stream(eos).boxed().toList());
  }

  /** Those of another file too, behind these. */
  TokenIds and(TokenIds more) {
    var all = Stream.concat(eos.stream(), more.eos.stream()).distinct().toList();
    return new TokenIds(bos < 0 ? more.bos : bos, all);
  }
}
