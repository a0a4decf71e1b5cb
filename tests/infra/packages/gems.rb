# SPDX-License-Identifier: Apache-2.0
#
# gems.rb OUT NAME...: the gems NAME, as installed here, and what they need, packed again and served by a compact
# index: OUT/{versions,names,info/NAME,quick/…,gems/NAME-VERSION.gem}.
require "digest"
require "fileutils"
require "rubygems/package"

out, *names = ARGV
specs = {}
until names.empty?
  spec = Gem::Specification.find_by_name(names.shift)
  next if specs.key?(spec.name) || spec.default_gem?
  specs[spec.name] = spec
  names.concat(spec.runtime_dependencies.map(&:name))
end

FileUtils.mkdir_p(%w[gems info quick/Marshal.4.8].map { |d| File.join(out, d) })
versions = specs.values.sort_by(&:name).map do |installed|
  spec = installed.dup
  spec.date = Time.utc(2024, 3, 12)
  Dir.chdir(installed.full_gem_path) do
    spec.files = Dir["lib/**/*"].select { |f| File.file?(f) }
    spec.extensions = spec.executables = spec.extra_rdoc_files = spec.test_files = []
    Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) { Gem::Package.build(spec, true, false, File.join(out, "gems", "#{spec.full_name}.gem")) }
  end
  abort "#{spec.name} has no files" if spec.files.empty?
  File.binwrite(File.join(out, "quick/Marshal.4.8/#{spec.full_name}.gemspec.rz"), Gem.deflate(Marshal.dump(spec)))
  needs = spec.runtime_dependencies.map { |d| "#{d.name}:#{d.requirement.to_s.split(", ").join("&")}" }.join(",")
  sum = Digest::SHA256.file(File.join(out, "gems", "#{spec.full_name}.gem")).hexdigest
  info = "---\n#{spec.version} #{needs}|checksum:#{sum}\n"
  File.write(File.join(out, "info", spec.name), info)
  "#{spec.name} #{spec.version} #{Digest::MD5.hexdigest(info)}\n"
end
File.write(File.join(out, "versions"), "created_at: 2024-03-12T00:00:00Z\n---\n#{versions.join}")
File.write(File.join(out, "names"), "---\n#{specs.keys.sort.join("\n")}\n")
puts versions
