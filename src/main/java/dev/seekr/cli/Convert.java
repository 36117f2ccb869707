package dev.seekr.cli;

import dev.seekr.convert.Conversion;
import dev.seekr.disk.Reading;
import dev.seekr.tensor.DType;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes a model folder of what other programs have stored. */
@Command(
    name = "convert",
    description =
        "Converts a model to a folder that Seekr can load: pytorch_model.bin, tokenizer.model, "
            + "tensor names with wrapper prefixes, and PEFT adapters, which are merged.")
final class Convert implements Runnable {
  private static final Pattern SIZE = Pattern.compile("([1-9]\\d{0,5})(MB|GB|MiB|GiB)");

  @Spec private CommandSpec spec;

  @Parameters(
      index = "0",
      paramLabel = "SRC",
      description = "Folder of a model or adapter, or a file of tensors next to its config.json.")
  private Path from;

  @Parameters(
      index = "1",
      paramLabel = "OUT",
      description = "Folder to create; must not exist, or be empty.")
  private Path to;

  @Option(
      names = "--base",
      paramLabel = "MODEL",
      description = "Base model of an adapter; default: the one it names.")
  private Path base;

  @Option(
      names = "--dtype",
      paramLabel = "TYPE",
      description = "Element type to store: f32, bf16 or f16; default: unchanged.")
  private String dtype;

  @Option(
      names = "--shard-size",
      paramLabel = "SIZE",
      defaultValue = "5GB",
      description = "Maximum file size, as 500MB; default ${DEFAULT-VALUE}.")
  private String shardSize;

  @Option(
      names = "--json",
      description = "Print what was written as one JSON object, and all else on stderr.")
  private boolean json;

  /** What --json prints. */
  private record Made(String model, List<WrittenFile> files) {}

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter notes = json ? spec.commandLine().getErr() : out;
    new Conversion(from, to, base, type(), shardBytes())
        .run(
            sentence -> {
              notes.println(sentence);
              notes.flush();
            });
    if (json)
      JsonOutput.print(
          out, new Made(to.toString(), Reading.list(to).stream().map(WrittenFile::of).toList()));
    else out.printf("%s is made.%n", to);
    out.flush();
  }

  private DType type() {
    return switch (dtype) {
      case null -> null;
      case "f32", "bf16", "f16" -> DType.valueOf(dtype.toUpperCase(Locale.ROOT));
      default ->
          throw new ParameterException(
              spec.commandLine(), "--dtype is %s; expected f32, bf16 or f16".formatted(dtype));
    };
  }

  private long shardBytes() {
    Matcher size = SIZE.matcher(shardSize);
    if (!size.matches())
      throw new ParameterException(
          spec.commandLine(),
          "--shard-size is %s; expected a whole number of MB or GB, as 500MB".formatted(shardSize));
    long unit =
        switch (size.group(2)) {
          case "MB" -> 1_000_000;
          case "GB" -> 1_000_000_000;
          case "MiB" -> 1L << 20;
          default -> 1L << 30;
        };
    return Long.parseLong(size.group(1)) * unit;
  }
}
