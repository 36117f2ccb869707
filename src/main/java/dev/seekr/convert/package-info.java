/** Models as other programs store them, made into folders that Seekr reads. */
package dev.seekr.convert;
