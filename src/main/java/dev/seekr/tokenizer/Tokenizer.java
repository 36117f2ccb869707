package dev.seekr.tokenizer;

import ai.djl.engine.EngineException;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.util.Utils;
import dev.seekr.Failure;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/**
 * A model's tokenizer, as its tokenizer.json defines it: text to ids and back, nothing added, cut
 * or padded. Runs the Hugging Face tokenizers library; safe for use by several threads.
 */
public final class Tokenizer implements AutoCloseable {
  private static final String FILE = "tokenizer.json";

  /**
   * The defaults of the binding would add special tokens and cut at 512, and the file itself may
   * ask for both.
   */
  private static final Map<String, String> PLAIN =
      Map.of("addSpecialTokens", "false", "truncation", "false", "padding", "false");

  private final HuggingFaceTokenizer tokenizer;
  private final int vocabSize;

  private Tokenizer(HuggingFaceTokenizer tokenizer, int vocabSize) {
    this.tokenizer = tokenizer;
    this.vocabSize = vocabSize;
  }

  /**
   * Reads a tokenizer.json, or the one in a model's folder.
   *
   * @throws Failure input when it is missing, data when it is no tokenizer, backend when the
   *     library does not load
   */
  public static Tokenizer load(Path folderOrFile) {
    Path file = Files.isDirectory(folderOrFile) ? folderOrFile.resolve(FILE) : folderOrFile;
    if (!Files.isRegularFile(file)) {
      throw Failure.input(
          "%s: no such file%s",
          file,
          Files.exists(file.resolveSibling("tokenizer.model"))
              ? "; tokenizer.model has to be saved as tokenizer.json first"
                  + " (AutoTokenizer.save_pretrained)"
              : "");
    }
    byte[] json;
    try {
      json = Files.readAllBytes(file);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.INPUT, file + ": cannot be read: " + e.getMessage(), e);
    }
    int vocabSize = Vocabulary.size(file, json);
    loadLibrary();
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), PLAIN), vocabSize);
    } catch (IOException | RuntimeException e) {
      throw new Failure(Failure.Exit.DATA, file + ": not a tokenizer: " + e.getMessage(), e);
    }
  }

  /**
   * Loads the library from its jar; on a machine with a GPU it would else look for another build on
   * the network.
   */
  private static synchronized void loadLibrary() {
    System.setProperty("ai.djl.offline", "true");
    String flavor = System.getenv("RUST_FLAVOR");
    if (!Utils.isOfflineMode() || flavor != null && !flavor.equals("cpu")) {
      throw Failure.config(
          "the environment lets the tokenizers library use the network; unset DJL_OFFLINE and"
              + " RUST_FLAVOR");
    }
    try {
      LibUtils.checkStatus();
    } catch (EngineException | LinkageError e) {
      throw new Failure(
          Failure.Exit.BACKEND,
          "the tokenizers library does not load: "
              + (e.getCause() == null ? e : e.getCause())
              + "; it is unpacked into "
              + Utils.getCacheDir()
              + ", which DJL_CACHE_DIR changes",
          e);
    }
  }

  /** Ids of {@code text}; special tokens only where the text spells them out. */
  public int[] encode(String text) {
    long[] ids = tokenizer.encode(text).getIds();
    int[] out = new int[ids.length];
    for (int i = 0; i < out.length; i++) out[i] = Math.toIntExact(ids[i]);
    return out;
  }

  /** Text of {@code ids} without special tokens. */
  public String decode(int[] ids) {
    return decode(ids, true);
  }

  /**
   * Text of {@code ids}; bytes that are not UTF-8 become U+FFFD, ids outside of the vocabulary
   * nothing.
   */
  public String decode(int[] ids, boolean skipSpecial) {
    return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), skipSpecial);
  }

  /** The largest id, added tokens included, plus one. */
  public int vocabSize() {
    return vocabSize;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
