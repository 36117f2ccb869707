package dev.seekr.tokenizer;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A tokenizer that is let through encodes texts and decodes ids without ending the process; its ids
 * are below its size.
 */
class TokenizerFuzzTest extends FuzzTarget {
  private static final List<String> TEXTS =
      List.of("", "a", "the answer is 42,  yes!\n", "Ünï\u00adcode \u4f60\ud83d\ude00 <s>x</s>");

  TokenizerFuzzTest() {
    super("tokenizer.json", Exit.DATA);
  }

  @Override
  protected Object read(Path file) {
    var all = new ArrayList<Object>();
    try (var tokenizer = Tokenizer.load(file)) {
      int V = tokenizer.vocabSize();
      sound(V >= 0, "a size of " + V);
      all.add(tokenizer.decode(new int[] {0, V / 2, V}));
      for (String text : TEXTS) {
        int[] ids = tokenizer.encode(text);
        for (int id : ids) sound(id >= 0 && id < V, "id %d of %d".formatted(id, V));
        all.add(Arrays.toString(ids));
        all.add(tokenizer.decode(ids, false));
      }
    }
    return all;
  }
}
