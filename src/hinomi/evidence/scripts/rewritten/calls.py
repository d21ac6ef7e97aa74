"""What single calls do, as commands of the shell; names are those of the languages' own libraries."""

from __future__ import annotations

# Arguments by number: {0} is the first, {*} all of them, {1?} the second where there is one.
_TEMPLATES = {
    "cp {0} {1}": "shutil.copy shutil.copy2 shutil.copyfile shutil.copytree copy File::Copy::copy FileUtils.cp"
                  " FileUtils.cp_r FileUtils.copy IO.copy_stream",
    "mv {0} {1}": "shutil.move os.rename os.replace rename move File::Copy::move FileUtils.mv FileUtils.move"
                  " File.rename move_uploaded_file",
    "rm -f {*}": "os.remove os.unlink unlink File.delete File.unlink FileUtils.rm FileUtils.rm_f FileUtils.rm_rf"
                 " shutil.rmtree rmtree remove_tree",
    "chmod {1} {0}": "os.chmod php.chmod",
    "chmod {0} {1}": "chmod File.chmod FileUtils.chmod",
    "touch -d {1?} {0}": "os.utime touch",
    "touch -d {1?} {2?}": "utime File.utime",
    "ln -s {0} {1}": "os.symlink symlink File.symlink FileUtils.ln_s FileUtils.ln_sf",
    "mkdir -p {0}": "os.mkdir os.makedirs mkdir make_path FileUtils.mkdir_p Dir.mkdir lfs.mkdir",
    "cd {0}": "os.chdir chdir Dir.chdir lfs.chdir",
    "kill -{1} {0}": "os.kill os.killpg posix_kill",
    "kill -{0} {1}": "kill Process.kill",
    "sleep {0}": "time.sleep sleep asyncio.sleep Kernel.sleep socket.sleep ngx.sleep Time::HiRes::sleep",
    "exit {0?}": "sys.exit os._exit exit die os.exit abort quit",
    "tar xf {0} -C {1?}": "shutil.unpack_archive",
    "tar czf {0} {2?}": "shutil.make_archive",
    "reboot": "os.reboot",
    "hostname": "socket.gethostname platform.node gethostname",
    "uname -a": "os.uname platform.uname platform.platform php_uname POSIX::uname",
    "mount {0} {1}": "mount",
    "curl -s {0} -o {1}": "urllib.request.urlretrieve urllib.urlretrieve wget.download getstore LWP::Simple::getstore"
                          " mirror",
}  # fmt: skip
COMMANDS = {name: template for template, names in _TEMPLATES.items() for name in names.split()}

# A program's words, or a command line: its output and its status come back.
RUNS = frozenset(
    "subprocess.run subprocess.call subprocess.check_call subprocess.check_output subprocess.getoutput"
    " subprocess.getstatusoutput os.system os.popen os.popen2 os.popen3 commands.getoutput commands.getstatusoutput"
    " popen2.popen2 asyncio.create_subprocess_shell asyncio.create_subprocess_exec pexpect.run sh.Command"
    " system exec readpipe shell_exec passthru popen proc_open pcntl_exec Kernel.system Kernel.exec IO.popen"
    " Open3.capture2 Open3.capture2e Open3.capture3 Open3.popen3 os.execute io.popen".split()
)
OUTPUT = frozenset(  # what comes back is what was printed
    "subprocess.check_output subprocess.getoutput os.popen commands.getoutput readpipe shell_exec"
    " popen IO.popen io.popen"
    " Open3.capture2 Open3.capture2e subprocess.run".split()
)
STATES = RUNS - OUTPUT  # what comes back is the status
BACKGROUND = frozenset("subprocess.Popen spawn Process.spawn Kernel.spawn pexpect.spawn".split())
REPLACES = frozenset("os.execv os.execve os.execvp os.execvpe".split())  # (path, [argv0, …])
REPLACES_FLAT = frozenset("os.execl os.execle os.execlp os.execlpe".split())  # (path, argv0, …)
SPAWNS = frozenset("os.spawnv os.spawnve os.spawnvp os.spawnl os.spawnle os.spawnlp os.posix_spawn".split())
STARTS = RUNS | BACKGROUND | REPLACES | REPLACES_FLAT | SPAWNS

SAME = frozenset(  # give what they were given, as far as this reading goes
    "str repr bytes strip rstrip lstrip decode encode lower upper splitlines read readlines"
    " readline split chomp chop trim"
    " rtrim ltrim to_s to_str lc uc strtolower strtoupper strval escapeshellarg escapeshellcmd"
    " shlex.quote os.path.abspath"
    " os.path.realpath realpath File.expand_path os.path.expanduser os.fspath Path pathlib.Path"
    " resolve absolute communicate"
    " name cmdline as_posix list sorted set tuple iter enumerate reversed ipairs pairs explode"
    " split preg_split tostring"
    " stringify String each_line lines to_a values items exe info getvalue get_data readable stdout text content body"
    " slurp scalar sort keys map filter array_filter array_map lines chars fetchall fetchone"
    " fetch_assoc fetchArray fetch_all fetchAll inet_aton to_i next readdir".split()
)
FETCHES = frozenset(
    "urllib.request.urlopen urllib.urlopen urllib2.urlopen urlopen requests.get requests.request httpx.get aiohttp.get"
    " LWP::Simple::get get HTTP::Tiny.get curl_init curl_exec URI.open Net::HTTP.get URI.parse.open"
    " open-uri http.request"
    " socket.http.request requests.Session.get urllib3.request".split()
)
SENDS = frozenset("requests.post requests.put httpx.post Net::HTTP.post Net::HTTP.post_form".split())
DECODES = {
    "base64.b64decode": "base64", "base64.decodebytes": "base64", "b64decode": "base64", "base64_decode": "base64",
    "decode_base64": "base64", "MIME::Base64::decode": "base64", "Base64.decode64": "base64",
    "Base64.strict_decode64": "base64", "ngx.decode_base64": "base64", "binascii.a2b_base64": "base64",
    "bytes.fromhex": "hex", "binascii.unhexlify": "hex", "hex2bin": "hex", "codecs.decode": "hex", "unhexlify": "hex",
}  # fmt: skip
UNPACKS = frozenset("zlib.decompress gzip.decompress gzinflate gzuncompress bz2.decompress lzma.decompress gzdecode"
                    " str_rot13 Zlib::Inflate.inflate marshal.loads".split())  # fmt: skip
EVALUATES = frozenset("exec eval assert create_function loadstring load instance_eval class_eval builtins.exec"
                      " compile include require include_once require_once".split())  # fmt: skip
CALLED_BACK = {  # function of PHP -> the number of the argument that names what it calls with the others
    "call_user_func": 0, "call_user_func_array": 0, "forward_static_call": 0, "forward_static_call_array": 0,
    "array_map": 0, "array_filter": 1, "array_walk": 1, "array_walk_recursive": 1, "array_reduce": 1, "usort": 1,
    "uasort": 1, "uksort": 1, "preg_replace_callback": 1, "register_shutdown_function": 0, "register_tick_function": 0,
    "set_error_handler": 0, "iterator_apply": 1,
}  # fmt: skip
EXISTS = {
    "os.path.exists": "-e", "os.path.isfile": "-f", "os.path.isdir": "-d", "os.path.islink": "-L", "os.access": "-e",
    "file_exists": "-e", "is_file": "-f", "is_dir": "-d", "is_readable": "-r", "File.exist?": "-e",
    "File.exists?": "-e", "File.file?": "-f", "Dir.exist?": "-d", "lfs.attributes": "-e", "os.stat": "-e",
    "os.lstat": "-e",
}  # fmt: skip
EXISTS_METHODS = {"exists": "-e", "is_file": "-f", "is_dir": "-d"}
CONTAINS = {  # name -> (number of the text that is searched, number of what is searched for); -1 is the receiver
    "re.search": (1, 0), "re.match": (1, 0), "re.findall": (1, 0), "preg_match": (1, 0), "strpos": (0, 1),
    "stripos": (0, 1), "str_contains": (0, 1), "strstr": (0, 1), "in_array": (1, 0), "index": (0, 1),
    "string.find": (0, 1), "string.match": (0, 1), "substr_count": (0, 1), "fnmatch.fnmatch": (0, 1),
}  # fmt: skip
CONTAINS_METHODS = frozenset("find include? match match? index startswith endswith start_with? end_with? count".split())
SIGNALS = frozenset("os.kill kill Process.kill posix_kill".split())
RUNNING = frozenset("psutil.pid_exists posix_getpgid Process.getpgid".split())
LISTS_PROCESSES = frozenset("psutil.process_iter psutil.pids psutil.get_process_list".split())
RECEIVES = frozenset("recv recvfrom receive gets fgets socket_read sysread".split())
CONNECTS = frozenset(
    "socket.create_connection IO::Socket::INET.new IO::Socket.new fsockopen pfsockopen"
    " stream_socket_client TCPSocket.new"
    " TCPSocket.open socket.connect socket_connect connect".split()
)
LISTENS = frozenset("TCPServer.new TCPServer.open stream_socket_server socket_bind socket.create_server".split())
STREAMS = frozenset("os.dup2 dup2 POSIX::dup2 pty.spawn $stdin.reopen STDIN.reopen".split())
DATABASES = {
    "sqlite3.connect": "sqlite3", "SQLite3": "sqlite3", "SQLite3::Database.new": "sqlite3", "SQLiteDatabase": "sqlite3",
    "sqlite_open": "sqlite3", "apsw.Connection": "sqlite3", "sqlite3.open": "sqlite3", "lsqlite3.open": "sqlite3",
    "psycopg2.connect": "psql", "psycopg.connect": "psql", "pg_connect": "psql", "PG.connect": "psql",
    "pymysql.connect": "mysql", "MySQLdb.connect": "mysql", "mysql.connector.connect": "mysql", "mysqli": "mysql",
    "mysqli_connect": "mysql", "mysql_connect": "mysql", "Mysql2::Client.new": "mysql",
    "PDO": "", "DBI.connect": "", "sqlalchemy.create_engine": "", "create_engine": "",  # the address says which
}  # fmt: skip
QUERIES = frozenset(
    "execute executemany executescript query exec do prepare selectall_arrayref selectall_hashref selectrow_array"
    " selectcol_arrayref nrows rows urows fetch raw fetchall querySingle multi_query real_query mysqli_query pg_query"
    " sqlite_query mysql_query read_sql text".split()
)
ARCHIVES = {"tarfile.open": "tar", "zipfile.ZipFile": "zip", "PharData": "tar", "Archive::Tar.new": "tar",
            "ZipArchive": "zip", "gzip.open": "gzip", "lzma.open": "xz", "bz2.open": "bzip2"}  # fmt: skip
EXTRACTS = frozenset("extractall extract extractTo extract_archive".split())
ADDS = frozenset("add write addFile addfile buildFromDirectory writestr add_files".split())
PACKS = {"gzip": "gzip -c > ", "xz": "xz -c > ", "bzip2": "bzip2 -c > ", "tar": "tar czf ", "zip": "zip -r "}
OPENS = frozenset("open fopen File.open File.new io.open codecs.open io.FileIO os.open".split())
WRITES = frozenset("write writelines puts print printf say syswrite fwrite fputs write_text write_bytes <<".split())
SAVES = {"file_put_contents": (0, 1), "File.write": (0, 1), "IO.write": (0, 1), "File.binwrite": (0, 1)}
READS = frozenset("file_get_contents file File.read File.readlines IO.read IO.readlines readfile read_file read_text"
                  " read_bytes io.lines slurp File.foreach".split())  # fmt: skip
READ_METHODS = frozenset("read_text read_bytes".split())
GLOB_METHODS = frozenset("glob rglob iterdir".split())
GLOBS = frozenset("glob.glob glob.iglob glob Dir.glob".split())
FOLDERS = frozenset("os.listdir os.scandir scandir Dir.entries Dir.children lfs.dir opendir".split())
REQUEST = ("_GET", "_POST", "_REQUEST", "_COOKIE", "request.args", "request.form", "request.values", "request.data",
           "request.json", "request.params", "request.headers", "request.query", "request.GET", "request.POST",
           "ngx.var.arg")  # fmt: skip
REQUEST_CALLS = frozenset("param getallheaders ngx.req.get_uri_args ngx.req.get_post_args ngx.req.get_body_data"
                          " request.get_data cgi.FieldStorage apache_request_headers".split())  # fmt: skip
OWN = frozenset("__file__ __FILE__ $0 $PROGRAM_NAME sys.argv[0] arg[0] _SERVER.SCRIPT_FILENAME".split())
