package dev.seekr.convert;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A tokenizer.model that is let through becomes a tokenizer.json that is let through, and encodes
 * texts to ids below its size.
 */
class SentencePieceFuzzTest extends FuzzTarget {
  private static final List<String> TEXTS = List.of("", " a  b\t", "<s>\u4f60\ud83d\ude00</s>aaaa");

  SentencePieceFuzzTest() {
    super(SentencePiece.FILE, Exit.DATA);
  }

  @Override
  protected Object read(Path file) throws IOException {
    var all = new ArrayList<Object>();
    var model = SentencePiece.read(file);
    var json = TokenizerJsonWriter.of(model, SpecialTokens.read(file.getParent(), model));
    Path made = Files.writeString(file.resolveSibling("tokenizer.json"), json.toString());
    try (var tokenizer = Tokenizer.load(made)) {
      int V = tokenizer.vocabSize();
      sound(V >= model.pieces().size(), "%d of %d".formatted(V, model.pieces().size()));
      for (String text : TEXTS) {
        int[] ids = tokenizer.encode(text);
        for (int id : ids) sound(id >= 0 && id < V, "id %d of %d".formatted(id, V));
        all.add(Arrays.toString(ids));
      }
    }
    return all;
  }
}
