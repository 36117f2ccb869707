package dev.seekr.convert;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.seekr.Failure;
import dev.seekr.convert.SentencePiece.Kind;
import dev.seekr.convert.SentencePiece.Piece;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes a tokenizer.json that cuts a text into the tokens that SentencePiece and the Python class
 * around it (LlamaTokenizer) cut it into.
 */
final class TokenizerJsonWriter {
  private static final String BLANK = "\u2581";

  private final ObjectNode json = JsonNodeFactory.instance.objectNode();
  private final SentencePiece model;
  private final SpecialTokens special;

  private TokenizerJsonWriter(SentencePiece model, SpecialTokens special) {
    this.model = model;
    this.special = special;
  }

  /** Throws Failure (65) naming a piece that a tokenizer.json cannot have. */
  static ObjectNode of(SentencePiece model, SpecialTokens special) {
    var made = new TokenizerJsonWriter(model, special);
    made.checkPieces();
    made.json.put("version", "1.0");
    made.addedTokens();
    made.stages();
    made.firstToken();
    made.bpe();
    return made.json;
  }

  /** Where LlamaTokenizer gives another token than a tokenizer.json can; empty: nowhere. */
  static String difference(SpecialTokens special) {
    if (special.legacy() || !special.prefix()) return "";
    for (var token : special.byId().values())
      if (!token.special())
        return " In a text that begins with '%s' no blank is put before it."
            .formatted(Failure.plain(token.content()));
    return "";
  }

  /** SentencePiece itself looks for pieces of users, before and after it has put blanks. */
  private void checkPieces() {
    var found = special.contents();
    for (Piece piece : model.pieces())
      if (piece.kind() == Kind.USER_DEFINED && !found.contains(piece.text()))
        throw Failure.data(
            "%s: the piece '%s' is a user's own and tokenizer_config.json does not name it"
                + " (added_tokens_decoder); add it there, or save the tokenizer as tokenizer.json"
                + " with transformers",
            model.file(), piece.text());
  }

  private void addedTokens() {
    ArrayNode tokens = json.putArray("added_tokens");
    special
        .byId()
        .forEach(
            (id, token) ->
                tokens
                    .addObject()
                    .put("id", id)
                    .put("content", token.content())
                    .put("single_word", token.word())
                    .put("lstrip", token.before())
                    .put("rstrip", token.after())
                    .put("normalized", false)
                    .put("special", token.special()));
  }

  /**
   * Blanks become the letter that stands for them. One more is put before every part of a text, or
   * before the text alone: then by way of a blank, since the component that does it leaves out what
   * begins with the letter that it puts.
   */
  private void stages() {
    ObjectNode normalizer = json.putObject("normalizer").put("type", "Sequence");
    ArrayNode parts = normalizer.putArray("normalizers");
    if (special.legacy() && model.prefix())
      parts.addObject().put("type", "Prepend").put("prepend", BLANK);
    ObjectNode replace = parts.addObject().put("type", "Replace");
    replace.putObject("pattern").put("String", " ");
    replace.put("content", BLANK);

    json.putNull("pre_tokenizer");
    if (!special.legacy() && special.prefix()) {
      ObjectNode both = json.putObject("pre_tokenizer").put("type", "Sequence");
      ArrayNode steps = both.putArray("pretokenizers");
      metaspace(steps, " ", "first");
      metaspace(steps, BLANK, "never");
    }

    ObjectNode decoder = json.putObject("decoder").put("type", "Sequence");
    ArrayNode back = decoder.putArray("decoders");
    ObjectNode blanks = back.addObject().put("type", "Replace");
    blanks.putObject("pattern").put("String", BLANK);
    blanks.put("content", " ");
    back.addObject().put("type", "ByteFallback");
    back.addObject().put("type", "Fuse");
    boolean first = special.legacy() ? model.prefix() : special.prefix();
    if (first)
      back.addObject().put("type", "Strip").put("content", " ").put("start", 1).put("stop", 0);
  }

  private static void metaspace(ArrayNode steps, String letter, String scheme) {
    steps
        .addObject()
        .put("type", "Metaspace")
        .put("replacement", letter)
        .put("prepend_scheme", scheme)
        .put("split", false);
  }

  /** For other programs; here the token is put by whoever encodes. */
  private void firstToken() {
    json.putNull("post_processor");
    if (special.first() == null) return;
    int id = -1;
    for (var entry : special.byId().entrySet())
      if (entry.getValue().content().equals(special.first())) id = entry.getKey();
    ObjectNode processor = json.putObject("post_processor").put("type", "TemplateProcessing");
    for (String form : List.of("single", "pair")) {
      ArrayNode list = processor.putArray(form);
      for (int sequence = 0; sequence < (form.equals("single") ? 1 : 2); sequence++) {
        list.addObject()
            .putObject("SpecialToken")
            .put("id", special.first())
            .put("type_id", sequence);
        list.addObject()
            .putObject("Sequence")
            .put("id", sequence == 0 ? "A" : "B")
            .put("type_id", sequence);
      }
    }
    ObjectNode token =
        processor.putObject("special_tokens").putObject(special.first()).put("id", special.first());
    token.putArray("ids").add(id);
    token.putArray("tokens").add(special.first());
  }

  private void bpe() {
    ObjectNode bpe = json.putObject("model").put("type", "BPE");
    bpe.putNull("dropout");
    for (Piece piece : model.pieces())
      if (piece.kind() == Kind.UNKNOWN) bpe.put("unk_token", piece.text());
    bpe.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
    bpe.put("fuse_unk", true).put("byte_fallback", model.byteFallback());
    bpe.put("ignore_merges", false);
    ObjectNode vocab = bpe.putObject("vocab");
    for (int id = 0; id < model.pieces().size(); id++) vocab.put(model.pieces().get(id).text(), id);
    ArrayNode merges = bpe.putArray("merges");
    for (Merge merge : merges()) merges.addArray().add(merge.left).add(merge.right);
  }

  /** Two pieces that make a third, of that one's score. */
  private record Merge(String left, String right, float score) {}

  /**
   * Every way to make a piece of two others, larger scores first. SentencePiece knows no order
   * among the ways to make one piece and takes the leftmost in the text; in a run of one letter,
   * where several meet, that is the one whose first part is the longer.
   */
  private List<Merge> merges() {
    Map<String, Float> scores = new HashMap<>();
    for (Piece piece : model.pieces())
      if (piece.kind() == Kind.NORMAL) scores.put(piece.text(), piece.score());
    var merges = new ArrayList<Merge>();
    for (Piece piece : model.pieces()) {
      if (piece.kind() != Kind.NORMAL) continue;
      String text = piece.text();
      for (int i = text.length() - 1; i > 0; i--) {
        String left = text.substring(0, i), right = text.substring(i);
        if (scores.containsKey(left) && scores.containsKey(right))
          merges.add(new Merge(left, right, piece.score()));
      }
    }
    merges.sort(Comparator.comparingDouble((Merge m) -> -m.score)); // stable
    return merges;
  }
}
