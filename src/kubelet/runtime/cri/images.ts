/** Messages of the CRI, v1: images, and the filesystem that holds them. Names and numbers are the standard's. */
import {
  bool,
  integer,
  message,
  type Received,
  repeated,
  string,
  strings,
  sub,
  textMap,
} from "../../../host/grpc/messages.ts";
import { FilesystemUsage, ImageSpec, Int64Value, PodSandboxConfig } from "./shared.ts";

export const ImageFilter = message({
  image: sub(1, ImageSpec),
});
export type ImageFilter = Received<typeof ImageFilter>;

export const ListImagesRequest = message({
  filter: sub(1, ImageFilter),
});
export type ListImagesRequest = Received<typeof ListImagesRequest>;

export const Image = message({
  id: string(1),
  repoTags: strings(2),
  repoDigests: strings(3),
  size: integer(4),
  uid: sub(5, Int64Value),
  username: string(6),
  spec: sub(7, ImageSpec),
  pinned: bool(8),
});
export type Image = Received<typeof Image>;

export const ListImagesResponse = message({
  images: repeated(1, Image),
});
export type ListImagesResponse = Received<typeof ListImagesResponse>;

export const ImageStatusRequest = message({
  image: sub(1, ImageSpec),
  verbose: bool(2),
});
export type ImageStatusRequest = Received<typeof ImageStatusRequest>;

export const ImageStatusResponse = message({
  image: sub(1, Image),
  info: textMap(2),
});
export type ImageStatusResponse = Received<typeof ImageStatusResponse>;

export const AuthConfig = message({
  username: string(1),
  password: string(2),
  auth: string(3),
  serverAddress: string(4),
  identityToken: string(5),
  registryToken: string(6),
});
export type AuthConfig = Received<typeof AuthConfig>;

export const PullImageRequest = message({
  image: sub(1, ImageSpec),
  auth: sub(2, AuthConfig),
  sandboxConfig: sub(3, PodSandboxConfig),
});
export type PullImageRequest = Received<typeof PullImageRequest>;

export const PullImageResponse = message({
  imageRef: string(1),
});
export type PullImageResponse = Received<typeof PullImageResponse>;

export const RemoveImageRequest = message({
  image: sub(1, ImageSpec),
});
export type RemoveImageRequest = Received<typeof RemoveImageRequest>;

export const ImageFsInfoRequest = message({});

export const ImageFsInfoResponse = message({
  imageFilesystems: repeated(1, FilesystemUsage),
  containerFilesystems: repeated(2, FilesystemUsage),
});
export type ImageFsInfoResponse = Received<typeof ImageFsInfoResponse>;
