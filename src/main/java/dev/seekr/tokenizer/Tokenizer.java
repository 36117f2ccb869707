package dev.seekr.tokenizer;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.seekr.Failure;
import dev.seekr.ops.ffm.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;

/**
 * A model's tokenizer, as its tokenizer.json defines it: text to ids and back, nothing added, cut
 * or padded. Runs the Hugging Face tokenizers library; safe for use by several threads until it is
 * closed.
 */
public final class Tokenizer implements AutoCloseable {
  private static final String FILE = "tokenizer.json";
  private static final String FOLDER = "native/lib/linux-x86_64/cpu", LIBRARY = "libtokenizers.so";

  private static boolean loaded;

  private final Path file;
  private final int words, vocabSize, longestText;
  private int rows = Integer.MAX_VALUE;

  /** The library's address of it; 0: closed. */
  private long handle;

  private Tokenizer(Path file, TokenizerFile content) {
    this.file = file;
    words = content.words();
    vocabSize = content.vocabSize();
    longestText = content.longestText();
    handle = TokenizersLibrary.LIB.createTokenizerFromString(content.json());
  }

  /** As {@link #load(Path, Set)}, with nothing ignored. */
  public static Tokenizer load(Path folderOrFile) {
    return load(folderOrFile, Set.of());
  }

  /**
   * Reads a tokenizer.json, or the one in a model's folder with what else is there of tokens.
   *
   * @param ignored fields that are passed over though they are not known
   * @throws Failure input when it is missing, data when it is no tokenizer or one that is not known
   *     to be harmless, backend when the library does not load
   */
  public static Tokenizer load(Path folderOrFile, Set<String> ignored) {
    Path file = Files.isDirectory(folderOrFile) ? folderOrFile.resolve(FILE) : folderOrFile;
    if (!Files.isRegularFile(file)) {
      throw Failure.input(
          "%s: no such file%s",
          file,
          Files.exists(file.resolveSibling("tokenizer.model"))
              ? "; './seekr convert %s OUT' makes it of tokenizer.model"
                  .formatted(file.toAbsolutePath().getParent())
              : "");
    }
    TokenizerFile content = TokenizerFile.read(file, ignored);
    if (Files.isDirectory(folderOrFile))
      TokenizerNotes.check(folderOrFile, ignored, content.added());
    loadLibrary();
    try {
      return new Tokenizer(file, content);
    } catch (RuntimeException e) {
      throw failure(file, "not a tokenizer", e);
    }
  }

  /**
   * Loads our own copy of the library. Its binding's loader is never called: it would load whatever
   * lies in a folder of its own, or look for another build on the network.
   */
  private static synchronized void loadLibrary() {
    if (loaded) return;
    Path library = NativeLibrary.unpack(FOLDER, LIBRARY);
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      throw new Failure(
          Failure.Exit.BACKEND, "the tokenizers library does not load: " + e.getMessage(), e);
    }
    loaded = true;
  }

  /** With what the library says of it. */
  private static Failure failure(Path file, String what, RuntimeException e) {
    String message = file + ": " + what + ": " + JsonPlace.line(e.getMessage());
    return new Failure(Failure.Exit.DATA, message, e);
  }

  /**
   * Ids of {@code text}; special tokens only where the text spells them out.
   *
   * @throws Failure data when the text is too long, or has what the tokenizer has no token for
   */
  public int[] encode(String text) {
    if (text.length() > longestText) {
      throw Failure.data(
          "%s: cannot encode a text of %d characters; with this tokenizer at most %d are safe",
          file, text.length(), longestText);
    }
    long tokenizer = open(), encoding;
    try {
      encoding = TokenizersLibrary.LIB.encode(tokenizer, text, false);
    } catch (RuntimeException e) {
      throw failure(file, "cannot encode a text", e);
    }
    try {
      long[] ids = TokenizersLibrary.LIB.getTokenIds(encoding);
      for (long id : ids) if (id >= rows) throw beyond(id);
      return Arrays.stream(ids).mapToInt(Math::toIntExact).toArray();
    } finally {
      TokenizersLibrary.LIB.deleteEncoding(encoding);
    }
  }

  /**
   * From now on {@link #encode} gives rows of an embedding: a text with an added token beyond them
   * is refused.
   *
   * @throws Failure data where tokens lie beyond that are not added ones, which any text may have
   */
  public void within(int rows) {
    if (words > rows)
      throw Failure.data(
          "%s: has %d tokens, but config.json gives the embedding %d rows (vocab_size); expected"
              + " the tokenizer that the model was trained with, or a model resized to it",
          file, words, rows);
    this.rows = rows;
  }

  private Failure beyond(long id) {
    return Failure.data(
        "%s: a text has %s, whose id %d is beyond the model's %d rows (vocab_size of config.json);"
            + " expected none in any text, or a model with a row for it (resize_token_embeddings)",
        file, JsonPlace.quoted(decode(new int[] {(int) id}, false)), id, rows);
  }

  /** Text of {@code ids} [n], perhaps empty, without special tokens. */
  public String decode(int[] ids) {
    return decode(ids, true);
  }

  /**
   * Text of {@code ids} [n]; bytes that are not UTF-8 become U+FFFD, ids outside of the vocabulary
   * nothing.
   */
  public String decode(int[] ids, boolean skipSpecial) {
    long[] wide = Arrays.stream(ids).asLongStream().toArray();
    return TokenizersLibrary.LIB.decode(open(), wide, skipSpecial);
  }

  /** The largest id, added tokens included, plus one: every id of {@link #encode} is below it. */
  public int vocabSize() {
    return vocabSize;
  }

  /** The library ends the process when it is given no tokenizer. */
  private long open() {
    if (handle == 0) throw new IllegalStateException(file + ": the tokenizer is closed");
    return handle;
  }

  @Override
  public void close() {
    if (handle != 0) TokenizersLibrary.LIB.deleteTokenizer(handle);
    handle = 0;
  }
}
