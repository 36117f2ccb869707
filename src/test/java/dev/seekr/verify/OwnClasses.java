package dev.seekr.verify;

import dev.seekr.LayeringTest;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Set;

/**
 * Loads edited classes in place of the program's, and with them anew the layers from theirs
 * upwards. All below, which cannot know them, is the program's and stays as fast as it has become:
 * the kernels above all.
 */
final class OwnClasses extends URLClassLoader {
  private static final String PROGRAM = "dev.seekr.";

  private final int lowest;

  /** Of sources, by their paths below {@code dev/seekr}, that were compiled into a folder. */
  OwnClasses(Set<String> sources, Path compiled) throws IOException {
    super(new URL[0], OwnClasses.class.getClassLoader());
    lowest = sources.stream().mapToInt(s -> layer(s.split("/")[0])).min().orElse(0);
    for (Path folder :
        new Path[] {compiled, Path.of("target/classes"), Path.of("target/test-classes")})
      addURL(folder.toUri().toURL());
  }

  private static int layer(String name) {
    return LayeringTest.LAYERS.indexOf(name);
  }

  private boolean own(String name) {
    if (!name.startsWith(PROGRAM)) return false;
    String[] parts = name.substring(PROGRAM.length()).split("\\.");
    return parts.length > 1 && layer(parts[0]) >= lowest;
  }

  @Override
  protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
    if (!own(name)) return super.loadClass(name, resolve);
    synchronized (getClassLoadingLock(name)) {
      Class<?> loaded = findLoadedClass(name);
      return loaded == null ? findClass(name) : loaded;
    }
  }
}
