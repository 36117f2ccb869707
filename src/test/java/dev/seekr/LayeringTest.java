package dev.seekr;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.MemberRefEntry;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The way of the data is the way of the imports: a package knows only those below it. */
public class LayeringTest {
  /** Lowest first; the empty name is {@code dev.seekr} itself. */
  public static final List<String> LAYERS =
      List.of(
          "",
          "disk",
          "jinja",
          "config",
          "tensor",
          "safetensors",
          "state",
          "distributed",
          "ops",
          "backends",
          "tokenizer",
          "data",
          "model",
          "convert",
          "method",
          "evaluation",
          "general",
          "report",
          "trainer",
          "run",
          "page",
          "bench",
          "verify",
          "cli");

  private static final int MOST_LINES = 500;
  private static final Path MAIN = Path.of("src/main/java/dev/seekr");

  /** A package of ours, in an import or spelt out in the code. */
  private static final Pattern USE =
      Pattern.compile("\\bdev\\.seekr\\.(?:([a-z]\\w*)\\.(?:[a-z]\\w*\\.)*)?[A-Z*]");

  @Test
  void packagesUseOnlyLowerOnes() {
    var wrong = new ArrayList<String>();
    int uses = 0;
    for (Path file : sources()) {
      String from =
          file.getParent().equals(MAIN) ? "" : MAIN.relativize(file).getName(0).toString();
      assertThat(LAYERS).as("the package of " + file).contains(from);
      Matcher use = USE.matcher(read(file));
      while (use.find()) {
        uses++;
        String to = use.group(1) == null ? "" : use.group(1);
        if (!LAYERS.contains(to) || LAYERS.indexOf(to) > LAYERS.indexOf(from)) {
          wrong.add(file + ": " + use.group() + "... is not below '" + from + "'");
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(uses).as("uses seen").isPositive();
  }

  @Test
  void filesAreShortAndPlain() {
    for (Path file : sources()) {
      String text = read(file);
      assertThat(text.lines().count()).as("lines of " + file).isLessThanOrEqualTo(MOST_LINES);
      assertThat(text).as(file.toString()).doesNotContain("\t", "sun.misc.Unsafe", "\r");
      assertThat(text)
          .as(file + " ends with a line break")
          .endsWith(file.endsWith(PACKAGE) ? ";\n" : "}\n");
    }
  }

  private static final Path PACKAGE = Path.of("package-info.java");
  private static final Pattern IMPORTS = Pattern.compile("<p>Imports:(.*?)\\*/", Pattern.DOTALL);
  private static final Pattern NAME = Pattern.compile("\\{@code[\\s*]+([\\w.]+)}");

  /** What {@code package-info.java} says a package imports, against what its code uses. */
  @Test
  void packagesSayWhatTheyImport() {
    var used = new TreeMap<Path, Set<String>>();
    for (Path file : sources()) {
      var of = used.computeIfAbsent(file.getParent(), _ -> new TreeSet<>());
      if (file.endsWith(PACKAGE)) continue;
      USE.matcher(read(file)).results().map(use -> named(use.group())).forEach(of::add);
      of.remove(named(file.getParent()));
    }
    used.forEach(
        (folder, packages) -> {
          Path info = folder.resolve(PACKAGE);
          assertThat(info).as("of every package").isRegularFile();
          String text = read(info);
          assertThat(text).as(info.toString()).contains("\npackage " + named(folder) + ";\n");
          Matcher said = IMPORTS.matcher(text);
          assertThat(said.find()).as(info + " has a paragraph <p>Imports:").isTrue();
          assertThat(NAME.matcher(said.group(1)).results().map(name -> name.group(1)))
              .as("<p>Imports: of " + info)
              .containsExactlyInAnyOrderElementsOf(packages);
        });
    assertThat(used.values()).as("imports seen").anyMatch(packages -> packages.size() > 10);
  }

  /** The picture has every package once, the highest first. */
  @Test
  void thePictureShowsTheLayers() {
    String picture = read(Path.of("docs/architecture.svg"));
    String packages = picture.substring(0, picture.indexOf("The kernels, behind one header"));
    var shown = Pattern.compile("<tspan class=\"code\">([\\w.]+)</tspan>").matcher(packages);
    var names = shown.results().map(name -> name.group(1).replace("dev.seekr", "")).toList();
    assertThat(names).isEqualTo(LAYERS.reversed());
  }

  /** The package of a class as it is spelt in the code. */
  private static String named(String use) {
    return use.substring(0, use.lastIndexOf('.'));
  }

  private static String named(Path folder) {
    return "dev.seekr"
        + (folder.equals(MAIN) ? "" : "." + MAIN.relativize(folder).toString().replace('/', '.'));
  }

  /** Who else than {@code disk} may change files, and why. */
  private static final Set<String> WRITE =
      Set.of(
          "dev.seekr.ops.ffm.NativeLibrary", // lies below disk's users and unpacks what is loaded
          "dev.seekr.report.ResidentMemory"); // resets a counter of the kernel

  private static final Pattern WRITES =
      Pattern.compile(
          "java/nio/file/Files\\.(write|create|delete|move|copy|set|new(Output|BufferedW)).*"
              + "|java/io/(FileOutputStream|RandomAccessFile|FileWriter)\\..*"
              + "|java/nio/channels/FileChannel\\.(open|map)");

  @Test
  void onlyDiskWritesFiles() {
    var wrong = new ArrayList<String>();
    for (var used : used().entrySet()) {
      String name = used.getKey();
      if (name.startsWith("dev.seekr.disk.") || WRITE.contains(name)) continue;
      for (String member : used.getValue())
        if (WRITES.matcher(member).matches()) wrong.add(name + ": " + member);
    }
    assertThat(wrong).isEmpty();
    assertThat(used().get("dev.seekr.disk.Disk"))
        .as("what is looked for is found where it is")
        .anyMatch(member -> WRITES.matcher(member).matches());
  }

  private static final Pattern OUTSIDE =
      Pattern.compile(
          "java/lang/System\\.(out|err|in)|java/io/Print(Stream|Writer)\\..*|jcuda/.*"
              + "|dev/seekr/(backends|ops/cuda|ops/ffm)/.*");

  /** What trains takes its files from below and leaves words and devices to those above. */
  @Test
  void trainerAndMethodsPrintNothingAndKnowNoDevice() {
    var wrong = new ArrayList<String>();
    for (var used : used().entrySet()) {
      boolean trains =
          used.getKey().matches("dev\\.seekr\\.(trainer|method|model|data|state)\\..*");
      if (!trains) continue;
      for (String member : used.getValue())
        if (OUTSIDE.matcher(member).matches()) wrong.add(used.getKey() + ": " + member);
    }
    assertThat(wrong).isEmpty();
    assertThat(used().get("dev.seekr.cli.Main"))
        .as("what is looked for is found where it is")
        .anyMatch(member -> OUTSIDE.matcher(member).matches());
  }

  /** Fields and methods of others that a class's code uses, "package/Type.member", by class. */
  private static Map<String, Set<String>> used() {
    var used = new TreeMap<String, Set<String>>();
    Path classes = Path.of("target/classes");
    for (Path file : files(classes.resolve("dev/seekr"), ".class")) {
      var members = new TreeSet<String>();
      try {
        for (var entry : ClassFile.of().parse(file).constantPool())
          if (entry instanceof MemberRefEntry m)
            members.add(m.owner().asInternalName() + "." + m.name().stringValue());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      String path = classes.relativize(file).toString();
      used.put(path.substring(0, path.length() - ".class".length()).replace('/', '.'), members);
    }
    return used;
  }

  private static List<Path> sources() {
    return files(MAIN, ".java");
  }

  private static List<Path> files(Path folder, String ending) {
    try (Stream<Path> all = Files.walk(folder)) {
      var files = all.filter(file -> file.toString().endsWith(ending)).sorted().toList();
      assertThat(files).isNotEmpty();
      return files;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
