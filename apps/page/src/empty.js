// Stands for packages of Node that the browser does not need.
export default {};
